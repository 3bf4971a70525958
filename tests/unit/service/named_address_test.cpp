#include "service/named_address.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace viaduct::service {
namespace {

base::Address address(const char* text) { return *base::Address::parse(text); }

TEST(Phash2, MatchesErlang) {
  EXPECT_EQ(phash2("foo.bar"), 1166686807u);
  EXPECT_EQ(phash2("baz.qux"), 2489270397u);
  EXPECT_EQ(phash2("foo.marathon"), 3561024917u);
  EXPECT_EQ(phash2("app.marathon"), 246131777u);
  EXPECT_EQ(phash2("l4lbtest.marathon"), 226511253u);
  EXPECT_EQ(phash2("a"), 1589197455u);
  EXPECT_EQ(phash2("twelve-bytes"), 2558707432u);
  EXPECT_EQ(phash2("mysuperlongservicename-with-dashes.marathon-user"), 1340197524u);
}

TEST(NamedAddress, IsDcosNetsFirstChoice) {
  const NamedRanges ranges;
  EXPECT_EQ(first_candidate4("foo.bar", ranges), address("11.138.58.156"));
  EXPECT_EQ(first_candidate4("baz.qux", ranges), address("11.95.65.17"));
  EXPECT_EQ(first_candidate4("foo.marathon", ranges), address("11.64.238.105"));
  EXPECT_EQ(first_candidate4("app.marathon", ranges), address("11.171.172.79"));
  EXPECT_EQ(first_candidate4("l4lbtest.marathon", ranges), address("11.128.73.162"));
  EXPECT_EQ(first_candidate4("kafka.marathon", ranges), address("11.212.124.231"));
  EXPECT_EQ(first_candidate4("broker.kafka", ranges), address("11.175.100.139"));
  EXPECT_EQ(first_candidate4("api.hello-world.marathon", ranges), address("11.46.7.19"));
  EXPECT_EQ(first_candidate6("qux.ipv6", ranges), address("fd01:c::6d6d:9c64:fd19:f251"));
}

TEST(NamedAddress, HonoursASmallRange) {
  NamedRanges ranges;
  ranges.max4 = address("11.0.0.254");
  EXPECT_EQ(first_candidate4("foo.bar", ranges), address("11.0.0.37"));
  EXPECT_EQ(first_candidate4("baz.qux", ranges), address("11.0.0.39"));
}

TEST(NamedAddress, DoesNotDependOnTheOrderOfNamesAndGivesNoneTwice) {
  NamedRanges ranges;
  ranges.max4 = address("11.0.0.255");
  std::set<std::string> names;
  for (int i = 0; i < 200; i++) names.insert("name" + std::to_string(i) + ".marathon");
  const auto all = allocate_named4(names, {}, ranges);
  std::set<base::Address> used;
  for (const auto& [name, given] : all) {
    EXPECT_TRUE(used.insert(given).second) << name;
    EXPECT_GE(given, ranges.min4);
    EXPECT_LE(given, ranges.max4);
  }
  EXPECT_EQ(used.size(), names.size());
}

TEST(NamedAddress, SkipsAddressesOfExplicitVips) {
  const NamedRanges ranges;
  const auto given = allocate_named4({"foo.bar"}, {address("11.138.58.156")}, ranges);
  EXPECT_EQ(given.at("foo.bar"), address("11.138.58.157"));
}

TEST(NamedAddress, WrapsAroundAtTheEndOfTheRange) {
  NamedRanges ranges;
  ranges.min4 = address("11.0.0.1");
  ranges.max4 = address("11.0.0.3");
  const auto given = allocate_named4({"a", "b", "c", "d"}, {}, ranges);
  EXPECT_EQ(given.size(), 3u) << "a full range leaves a name without an address";
}

TEST(NamedAddress, WorksForARangeOfOneAddress) {
  NamedRanges ranges;
  ranges.min6 = ranges.max6 = address("fd01:c::7");
  EXPECT_EQ(allocate_named6({"a"}, {}, ranges).at("a"), address("fd01:c::7"));
}

}  // namespace
}  // namespace viaduct::service
