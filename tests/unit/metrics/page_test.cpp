#include "metrics/page.h"

#include <gtest/gtest.h>

#include <limits>

namespace viaduct::metrics {
namespace {

const Family kQueries{
    Kind::counter, "viaduct_dns_queries_total", "Questions answered.", {"protocol", "zone"}};
const Family kAge{Kind::gauge, "viaduct_daemon_source_age_seconds",
                  "Age, in\nseconds \\ \"exact\"."};

TEST(Page, RendersFamiliesByNameWithTheirSamplesTogether) {
  Page page;
  page.add(kQueries, 12, {"udp", "l4lb"});
  page.add(kAge, 0.25);
  page.add(kQueries, 3, {"tcp", "l4lb"});
  EXPECT_EQ(page.text(),
            "# HELP viaduct_daemon_source_age_seconds Age, in\\nseconds \\\\ \"exact\".\n"
            "# TYPE viaduct_daemon_source_age_seconds gauge\n"
            "viaduct_daemon_source_age_seconds 0.25\n"
            "# HELP viaduct_dns_queries_total Questions answered.\n"
            "# TYPE viaduct_dns_queries_total counter\n"
            "viaduct_dns_queries_total{protocol=\"tcp\",zone=\"l4lb\"} 3\n"
            "viaduct_dns_queries_total{protocol=\"udp\",zone=\"l4lb\"} 12\n");
}

TEST(Page, SamplesWithTheSameLabelsAddUp) {
  Page page;
  page.add(kQueries, std::uint64_t{1} << 60, {"udp", ""});
  page.add(kQueries, 1, {"udp", ""});
  EXPECT_NE(page.text().find("zone=\"\"} 1152921504606846977\n"), std::string::npos);
}

TEST(Page, LabelValuesAreEscaped) {
  Page page;
  page.add(kQueries, 1, {"a\"b\\c\nd", "z"});
  EXPECT_NE(page.text().find("{protocol=\"a\\\"b\\\\c\\nd\",zone=\"z\"} 1\n"), std::string::npos);
}

TEST(Page, NumbersThatAreNotFiniteHaveTheFormatsNames) {
  Page page;
  page.add(kAge, std::numeric_limits<double>::infinity());
  EXPECT_NE(page.text().find("_seconds +Inf\n"), std::string::npos);
}

TEST(Page, NothingCountedIsAnEmptyPage) { EXPECT_EQ(Page().text(), ""); }

}  // namespace
}  // namespace viaduct::metrics
