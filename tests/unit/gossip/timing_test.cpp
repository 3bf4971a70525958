#include "gossip/timing.h"

#include <gtest/gtest.h>

#include "gossip/awareness.h"
#include "gossip/suspicion.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;

TEST(Timing, NewsIsSentMoreOftenInLargerClusters) {
  EXPECT_EQ(retransmit_limit(4, 1), 4);
  EXPECT_EQ(retransmit_limit(4, 9), 4);
  EXPECT_EQ(retransmit_limit(4, 10), 8);
  EXPECT_EQ(retransmit_limit(4, 99), 8);
  EXPECT_EQ(retransmit_limit(4, 100), 12);
  EXPECT_EQ(retransmit_limit(4, 1000), 16);
  EXPECT_EQ(retransmit_limit(4, 10'000), 20);
}

TEST(Timing, PushPullsAreRarerInLargerClusters) {
  EXPECT_EQ(push_pull_interval(30s, 1), 30s);
  EXPECT_EQ(push_pull_interval(30s, 32), 30s);
  EXPECT_EQ(push_pull_interval(30s, 33), 60s);
  EXPECT_EQ(push_pull_interval(30s, 64), 60s);
  EXPECT_EQ(push_pull_interval(30s, 65), 90s);
  EXPECT_EQ(push_pull_interval(30s, 1000), 180s);
}

TEST(Timing, SuspicionLastsLongerInLargerClusters) {
  EXPECT_EQ(suspicion_min(3, 0, 500ms), 1500ms);
  EXPECT_EQ(suspicion_min(3, 10, 500ms), 1500ms);
  EXPECT_EQ(suspicion_min(3, 100, 500ms), 3s);
  EXPECT_EQ(suspicion_min(4, 1000, 1s), 12s);
}

TEST(Awareness, AScoreStaysBetweenNothingAndItsMaximum) {
  Awareness awareness(8);
  awareness.add(-3);
  EXPECT_EQ(awareness.score(), 0);
  EXPECT_EQ(awareness.scale(500ms), 500ms);
  awareness.add(100);
  EXPECT_EQ(awareness.score(), 7);
  EXPECT_EQ(awareness.scale(500ms), 4s);
}

// Vectors of memberlist's own test of the same formula.
TEST(Suspicion, TheTimeLeftFallsWithEachConfirmation) {
  EXPECT_EQ(suspicion_left(0, 3, 0s, 2s, 30s), 30s);
  EXPECT_EQ(suspicion_left(1, 3, 2s, 2s, 30s), 14s);
  EXPECT_NEAR(std::chrono::duration<double>(suspicion_left(2, 3, 3s, 2s, 30s)).count(), 4.810,
              0.001);
  EXPECT_EQ(suspicion_left(3, 3, 4s, 2s, 30s), 0s) << "never below the minimum, less what went by";
  EXPECT_EQ(suspicion_left(3, 3, 1s, 2s, 30s), 1s);
  EXPECT_EQ(suspicion_left(4, 3, 5s, 2s, 30s), 0s);
  EXPECT_EQ(suspicion_left(0, 0, 0s, 2s, 30s), 2s) << "nobody can confirm";
}

TEST(Suspicion, OnlyNewAccusersCountAndOnlySoManyOfThem) {
  const base::Time now{};
  Suspicion suspicion("a", {2, 2s, 30s}, now);
  EXPECT_EQ(suspicion.deadline(), now + 30s);
  EXPECT_FALSE(suspicion.confirm("a"));
  EXPECT_TRUE(suspicion.confirm("b"));
  EXPECT_FALSE(suspicion.confirm("b"));
  EXPECT_LT(suspicion.deadline(), now + 30s);
  EXPECT_TRUE(suspicion.confirm("c"));
  EXPECT_EQ(suspicion.deadline(), now + 2s);
  EXPECT_FALSE(suspicion.confirm("d")) << "enough have spoken";
  EXPECT_EQ(suspicion.confirmations(), 2U);
}

}  // namespace
}  // namespace viaduct::gossip
