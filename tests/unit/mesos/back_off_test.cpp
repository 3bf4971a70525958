#include "mesos/back_off.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;

constexpr double kMost = 0.999999;

TEST(BackOff, StaysWithinItsLimitsAndThreeTimesTheWaitBefore) {
  base::Rng rng(1);
  for (int run = 0; run < 200; run++) {
    BackOff back_off(250ms, 30s);
    base::Duration last = 250ms;
    for (int i = 0; i < 20; i++) {
      const base::Duration wait = back_off.next(rng.unit());
      ASSERT_GE(wait, 250ms);
      ASSERT_LE(wait, std::min<base::Duration>(30s, 3 * last));
      last = wait;
    }
  }
}

TEST(BackOff, GrowsToItsLimitWhenChanceWantsIt) {
  BackOff back_off(250ms, 30s);
  EXPECT_LT(back_off.next(kMost), 751ms);
  for (int i = 0; i < 10; i++) back_off.next(kMost);
  EXPECT_GT(back_off.next(kMost), 29s);
  EXPECT_EQ(back_off.next(0), 250ms);
}

TEST(BackOff, IsShortAgainWhenAllIsWell) {
  BackOff back_off(250ms, 30s);
  for (int i = 0; i < 10; i++) back_off.next(kMost);
  back_off.reset();
  EXPECT_LE(back_off.next(kMost), 750ms);
}

TEST(BackOff, AWaitMayHaveAShorterLimitOfItsOwn) {
  BackOff back_off(250ms, 30s);
  for (int i = 0; i < 10; i++) back_off.next(kMost);
  EXPECT_LE(back_off.next(kMost, 2s), 2s);
  EXPECT_LE(back_off.next(kMost), 6s) << "and it grows from there";
  EXPECT_EQ(back_off.next(kMost, 1ms), 250ms) << "never below the least";
}

}  // namespace
}  // namespace viaduct::mesos
