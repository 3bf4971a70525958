#include "service/local_table.h"

#include <gtest/gtest.h>

namespace viaduct::service {
namespace {

SourceRows one_row(const char* task) {
  SourceRows rows;
  rows.rows.push_back({VipName{"web.marathon"},
                       80,
                       base::Protocol::tcp,
                       *base::Endpoint::parse("192.0.2.1:8080"),
                       1,
                       {},
                       task});
  return rows;
}

TEST(LocalTable, IsCompleteOnceEverySourceHasAnswered) {
  LocalTable table;
  table.expect("mesos");
  table.expect("files");
  const base::Time now{};
  table.replace("files", {}, now);
  EXPECT_FALSE(table.complete());
  table.fail("mesos", "connection refused", now);
  EXPECT_FALSE(table.complete());
  table.replace("mesos", {}, now);
  EXPECT_TRUE(table.complete());
}

TEST(LocalTable, RestoredRowsStandInUntilTheSourceAnswers) {
  LocalTable table;
  table.expect("mesos");
  table.restore("mesos", one_row("a"));
  EXPECT_TRUE(table.complete());
  EXPECT_TRUE(table.sources().at("mesos").restored);
  EXPECT_FALSE(table.sources().at("mesos").last_success) << "it has not answered";
  table.replace("mesos", {}, base::Time{});
  EXPECT_FALSE(table.sources().at("mesos").restored);
  EXPECT_TRUE(table.sources().at("mesos").rows.rows.empty());
}

TEST(LocalTable, CountsChangesOnly) {
  LocalTable table;
  EXPECT_TRUE(table.replace("files", one_row("a"), base::Time{}));
  EXPECT_EQ(table.revision(), 1u);
  EXPECT_FALSE(table.replace("files", one_row("a"), base::Time{} + std::chrono::seconds(1)));
  EXPECT_EQ(table.revision(), 1u);
  EXPECT_TRUE(table.replace("files", one_row("b"), base::Time{}));
  EXPECT_EQ(table.revision(), 2u);
}

TEST(LocalTable, AFailureKeepsTheRows) {
  LocalTable table;
  table.replace("mesos", one_row("a"), base::Time{});
  table.fail("mesos", "time-out", base::Time{} + std::chrono::seconds(5));
  const auto& source = table.sources().at("mesos");
  EXPECT_EQ(source.rows.rows.size(), 1u);
  EXPECT_EQ(source.last_error, "time-out");
  EXPECT_EQ(source.failures, 1u);
  EXPECT_TRUE(table.complete());
}

TEST(LocalTable, KeepsNoMoreRowsThanASourceMayHave) {
  SourceRows rows = one_row("a");
  rows.rows.resize(kMaxRowsPerSource + 5, rows.rows.front());
  LocalTable table;
  table.replace("files", std::move(rows), base::Time{});
  EXPECT_EQ(table.sources().at("files").rows.rows.size(), kMaxRowsPerSource);
  EXPECT_EQ(table.sources().at("files").rows.rejected.size(), 1u);
}

}  // namespace
}  // namespace viaduct::service
