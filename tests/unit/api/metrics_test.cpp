#include "api/metrics.h"

#include <gmock/gmock.h>

#include "tests/unit/api/example_views.h"

namespace viaduct::api {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, TellSourcesServicesAndMaps) {
  const Example example;
  metrics::Page page;
  publish(example.views, page);
  const std::string text = page.text();
  for (const char* line :
       {"viaduct_service_services 2\n", "viaduct_service_backends 2\n",
        "viaduct_service_services_without_backend 1\n", "viaduct_service_complete 0\n",
        "viaduct_source_rows{source=\"mesos-agent\"} 1\n",
        "viaduct_source_rejected_rows{source=\"mesos-agent\"} 1\n",
        "viaduct_source_failures_total{source=\"files\"} 1\n",
        "viaduct_source_age_seconds{source=\"mesos-agent\"} 0.12\n",
        "viaduct_dataplane_map_capacity{map=\"services\"} 131072\n",
        "viaduct_daemon_uptime_seconds 90\n", "viaduct_daemon_info{version=\"0.1.0\"} 1\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("viaduct_source_age_seconds{source=\"files\"}")));
}

TEST(Metrics, RepliesAreCountedByStatus) {
  Counters counters;
  counters.count(200);
  counters.count(200);
  counters.count(404);
  metrics::Page page;
  publish(counters, page);
  EXPECT_THAT(page.text(), HasSubstr("viaduct_api_replies_total{status=\"200\"} 2\n"
                                     "viaduct_api_replies_total{status=\"404\"} 1\n"));
}

}  // namespace
}  // namespace viaduct::api
