#include "daemon/config.h"

#include <gtest/gtest.h>

#include "config/help.h"
#include "config/parse.h"

namespace viaduct::daemon {
namespace {

TEST(DaemonConfig, DefaultsAreWithinTheirOwnRanges) {
  const auto values = config::parse("", "viaduct.toml", schema());
  ASSERT_TRUE(values) << values.error().to_string();
  const Config config = from(*values);
  EXPECT_EQ(config.ranges.min4.to_string(), "11.0.0.0");
  EXPECT_EQ(config.ranges.max6.to_string(), "fd01:c::ffff:ffff:ffff:ffff");
  EXPECT_EQ(config.dataplane.bpffs, "/sys/fs/bpf/viaduct");
  EXPECT_EQ(config.dataplane.reconcile, std::chrono::seconds(30));
  EXPECT_FALSE(config.mesos.agent);
}

TEST(DaemonConfig, TheHelpIsAConfigurationThatParses) {
  const auto values = config::parse(config::help(schema()), "help", schema());
  EXPECT_TRUE(values) << values.error().to_string();
}

TEST(DaemonConfig, ReportsEveryMistakeAtOnce) {
  const auto values = config::parse(
      "[dns]\nport = 70000\n[dataplane]\nenabld = true\n[l4lb]\nrange4 = \"11.0.0.9-11.0.0.1\"\n",
      "viaduct.toml", schema());
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().all.size(), 3u) << values.error().to_string();
}

}  // namespace
}  // namespace viaduct::daemon
