#include "service/policy.h"

#include <gmock/gmock.h>

namespace viaduct::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const PolicyField& field(std::string_view key) {
  for (const PolicyField& one : policy_fields())
    if (one.key == key) return one;
  throw std::invalid_argument(std::string(key));
}

TEST(PickRule, EveryWordIsReadAsItIsWritten) {
  for (const char* word : {"automatic", "least-loaded", "peak-ewma", "random", "round-robin",
                           "maglev", "source-hash"}) {
    const auto rule = parse_pick_rule(word);
    ASSERT_TRUE(rule) << word;
    EXPECT_EQ(to_string(*rule), word);
  }
  for (const char* word : {"", "Maglev", "maglev ", "roundrobin", "least_loaded"})
    EXPECT_FALSE(parse_pick_rule(word)) << word;
}

TEST(Affinity, HasALimitOfItsOwnOrTheDefault) {
  EXPECT_EQ(parse_affinity("none"), Affinity{});
  EXPECT_EQ(parse_affinity("client"), (Affinity{AffinityBy::client, kDefaultAffinity}));
  EXPECT_EQ(parse_affinity("namespace:60"),
            (Affinity{AffinityBy::netns, std::chrono::seconds(60)}));
  EXPECT_EQ(parse_affinity("client:86400")->to_string(), "client:86400");
  for (const char* text :
       {"", "Client", "client:", "client:0", "client:86401", "client:1s", "client: 1", "client:-1",
        "none:5", "client:60:60", "client:99999999999999999999"})
    EXPECT_FALSE(parse_affinity(text)) << text;
}

TEST(Drain, IsANumberOfSecondsOrNone) {
  EXPECT_EQ(parse_drain("0")->value(), std::chrono::seconds(0));
  EXPECT_EQ(parse_drain("86400")->value(), std::chrono::seconds(86400));
  ASSERT_TRUE(parse_drain("none"));
  EXPECT_FALSE(parse_drain("none")->has_value());
  for (const char* text : {"", "None", "-1", "86401", "5s", " 5", "1.5", "99999999999999999999"})
    EXPECT_FALSE(parse_drain(text)) << text;
}

TEST(PolicyFields, AWrongValueLeavesThePolicyAndSaysWhatWouldBeRight) {
  Policy policy;
  ASSERT_TRUE(field("lb").set(policy, "random"));
  ASSERT_TRUE(field("affinity").set(policy, "client:60"));
  const Policy before = policy;
  EXPECT_THAT(field("lb").set(policy, "fastest").error().context,
              HasSubstr("\"fastest\" is not one of automatic, least-loaded, peak-ewma"));
  EXPECT_THAT(field("affinity").set(policy, "client:x").error().context,
              HasSubstr("\"client:x\" is not none, client or namespace"));
  EXPECT_THAT(field("drain").set(policy, "soon").error().context,
              HasSubstr("\"soon\" is not none or a number of seconds from 0 to 86400"));
  EXPECT_EQ(policy, before);
}

TEST(PolicyFields, TheTextIsWhatSetTakes) {
  Policy policy{
      PickRule::peak_ewma, {AffinityBy::netns, std::chrono::seconds(5)}, std::chrono::seconds(30)};
  Policy copy;
  for (const PolicyField& one : policy_fields()) ASSERT_TRUE(one.set(copy, one.text(policy)));
  EXPECT_EQ(copy, policy);
}

TEST(Settle, TheFirstThatSaysSomethingDecidesFieldByField) {
  Policy first{PickRule::random, {}};
  EXPECT_THAT(settle(first, Policy{PickRule::automatic, *parse_affinity("client")}), IsEmpty());
  EXPECT_EQ(first, (Policy{PickRule::random, *parse_affinity("client")}));
  EXPECT_THAT(settle(first, Policy{PickRule::maglev, *parse_affinity("client")}),
              ElementsAre("lb maglev conflicts with random, which stays"));
  EXPECT_EQ(first.pick, PickRule::random);
}

}  // namespace
}  // namespace viaduct::service
