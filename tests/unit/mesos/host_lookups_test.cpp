#include "mesos/host_lookups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;
using Addresses = std::vector<base::Address>;

const base::Time t0{};
const Addresses kOne{*base::Address::parse("192.0.2.7")};

TEST(HostLookups, EachNameIsTakenOnceAndAgainAfterAMinute) {
  HostLookups lookups;
  lookups.want({"a.example", "b.example"}, t0);
  EXPECT_EQ(lookups.take_due(t0), "a.example");
  EXPECT_EQ(lookups.take_due(t0), "b.example");
  EXPECT_EQ(lookups.take_due(t0), std::nullopt);
  EXPECT_EQ(lookups.next_due(), std::nullopt) << "both are being looked up";
  EXPECT_EQ(lookups.on_answer("a.example", kOne, t0 + 5s), kOne);
  EXPECT_EQ(lookups.next_due(), t0 + 65s);
  EXPECT_EQ(lookups.take_due(t0 + 64s), std::nullopt);
  EXPECT_EQ(lookups.take_due(t0 + 65s), "a.example");
}

TEST(HostLookups, ANameThatIsStillWantedKeepsItsTurn) {
  HostLookups lookups;
  lookups.want({"a.example"}, t0);
  EXPECT_EQ(lookups.take_due(t0), "a.example");
  lookups.want({"a.example", "b.example"}, t0 + 1s);
  EXPECT_EQ(lookups.take_due(t0 + 1s), "b.example");
  EXPECT_EQ(lookups.take_due(t0 + 1s), std::nullopt) << "a.example is being looked up";
  lookups.want({"b.example"}, t0 + 2s);
  EXPECT_EQ(lookups.on_answer("a.example", kOne, t0 + 3s), std::nullopt) << "nobody wants it now";
  EXPECT_EQ(lookups.size(), 1u);
}

TEST(HostLookups, AFailureChangesNothingForTenMinutes) {
  HostLookups lookups;
  lookups.want({"a.example"}, t0);
  lookups.take_due(t0);
  EXPECT_EQ(lookups.on_answer("a.example", kOne, t0), kOne);
  for (auto at = t0 + 60s; at < t0 + 660s; at += 60s) {
    ASSERT_EQ(lookups.take_due(at), "a.example");
    EXPECT_EQ(lookups.on_answer("a.example", std::nullopt, at), std::nullopt);
  }
  lookups.take_due(t0 + 660s);
  EXPECT_EQ(lookups.on_answer("a.example", std::nullopt, t0 + 660s), Addresses());
  lookups.take_due(t0 + 720s);
  EXPECT_EQ(lookups.on_answer("a.example", std::nullopt, t0 + 720s), std::nullopt)
      << "that it has none is said once";
  lookups.take_due(t0 + 780s);
  EXPECT_EQ(lookups.on_answer("a.example", kOne, t0 + 780s), kOne);
}

TEST(HostLookups, NoAddressIsAFailureToo) {
  HostLookups lookups;
  lookups.want({"a.example"}, t0);
  lookups.take_due(t0);
  EXPECT_EQ(lookups.on_answer("a.example", Addresses(), t0), std::nullopt);
}

TEST(HostLookups, NamesAreBounded) {
  std::vector<std::string> many;
  for (std::size_t i = 0; i < kMaxLookedUpHosts + 100; i++)
    many.push_back("h" + std::to_string(i) + ".example");
  HostLookups lookups;
  lookups.want(many, t0);
  EXPECT_EQ(lookups.size(), kMaxLookedUpHosts);
}

}  // namespace
}  // namespace viaduct::mesos
