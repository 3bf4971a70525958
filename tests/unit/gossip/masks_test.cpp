#include "gossip/masks.h"

#include <gtest/gtest.h>

#include <vector>

namespace viaduct::gossip {
namespace {

using service::Mask;
using Masks = std::map<std::string, Mask>;

constexpr NodeState kAlive = NodeState::alive;
constexpr NodeState kSuspect = NodeState::suspect;
constexpr NodeState kDead = NodeState::dead;
constexpr NodeState kLeft = NodeState::left;

Masks masks(std::vector<MemberOpinion> members, bool sick = false) {
  return half_limit(members, "me", sick);
}

TEST(HalfLimit, SuspectsAndTheDeadAreMasked) {
  EXPECT_EQ(masks({{"me", kAlive}, {"a", kAlive}, {"b", kSuspect}, {"c", kDead}, {"d", kLeft}}),
            (Masks{{"b", Mask::suspect}, {"c", Mask::dead}, {"d", Mask::dead}}));
  EXPECT_EQ(masks({}), Masks{});
}

TEST(HalfLimit, DoubtAboutMoreThanHalfIsNotActedUpon) {
  EXPECT_EQ(masks({{"me", kAlive}, {"a", kSuspect}}).size(), 1u);
  EXPECT_EQ(masks({{"me", kAlive}, {"a", kSuspect}, {"b", kSuspect}}), Masks{});
  EXPECT_EQ(masks({{"me", kAlive}, {"a", kSuspect}, {"b", kSuspect}, {"c", kDead}}),
            (Masks{{"c", Mask::dead}}))
      << "the dead do not make doubt about the others weigh less";
}

TEST(HalfLimit, WhoIsSickDoubtsNobodyButBelievesInDeaths) {
  EXPECT_EQ(masks({{"me", kAlive}, {"a", kAlive}, {"b", kSuspect}, {"c", kDead}}, true),
            (Masks{{"c", Mask::dead}}));
}

TEST(HalfLimit, NeverMasksThisNode) {
  EXPECT_EQ(masks({{"me", kSuspect}, {"a", kAlive}}), Masks{});
  EXPECT_EQ(masks({{"me", kLeft}, {"a", kAlive}}), Masks{});
}

}  // namespace
}  // namespace viaduct::gossip
