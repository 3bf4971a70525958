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
  std::map<std::string, Tick> names;
  for (int i = 0; i < 200; i++) names.emplace("name" + std::to_string(i) + ".marathon", i % 3);
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
  const auto given = allocate_named4({{"foo.bar", 1}}, {address("11.138.58.156")}, ranges);
  EXPECT_EQ(given.at("foo.bar"), address("11.138.58.157"));
}

TEST(NamedAddress, TheOlderOfTwoNamesKeepsTheAddressBothWant) {
  NamedRanges ranges;
  ranges.min4 = ranges.max4 = address("11.0.0.7");
  EXPECT_EQ(allocate_named4({{"a", 1}, {"b", 2}}, {}, ranges).begin()->first, "a");
  EXPECT_EQ(allocate_named4({{"a", 2}, {"b", 1}}, {}, ranges).begin()->first, "b");
  EXPECT_EQ(allocate_named4({{"a", kNoTick}, {"b", 1}}, {}, ranges).begin()->first, "b");
  const bool first = rank_of("a", 1) < rank_of("b", 1);
  EXPECT_EQ(allocate_named4({{"a", 1}, {"b", 1}}, {}, ranges).begin()->first, first ? "a" : "b");
}

TEST(NamedAddress, ANameThatIsYoungerThanAllOthersMovesNone) {
  NamedRanges ranges;
  ranges.max4 = address("11.0.1.255");
  std::map<std::string, Tick> names;
  std::map<std::string, base::Address> before;
  for (int i = 0; i < 500; i++) {
    names.emplace("name" + std::to_string(i) + ".marathon", i + 1);
    const auto after = allocate_named4(names, {}, ranges);
    for (const auto& [name, given] : before) ASSERT_EQ(after.at(name), given);
    before = after;
  }
}

TEST(NamedAddress, WrapsAroundAtTheEndOfTheRange) {
  NamedRanges ranges;
  ranges.min4 = address("11.0.0.1");
  ranges.max4 = address("11.0.0.3");
  const auto given = allocate_named4({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}}, {}, ranges);
  EXPECT_EQ(given.size(), 3u) << "a full range leaves a name without an address";
}

TEST(NamedAddress, WorksForARangeOfOneAddress) {
  NamedRanges ranges;
  ranges.min6 = ranges.max6 = address("fd01:c::7");
  EXPECT_EQ(allocate_named6({{"a", 1}}, {}, ranges).at("a"), address("fd01:c::7"));
}

}  // namespace
}  // namespace viaduct::service
