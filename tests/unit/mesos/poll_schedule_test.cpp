#include "mesos/poll_schedule.h"

#include <gtest/gtest.h>

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;

constexpr double kMiddle = 0.5;  // moves nothing

TEST(PollSchedule, StaysAtTheShortestWaitWhileThingsChange) {
  PollSchedule schedule(1s, 5s);
  for (int i = 0; i < 5; i++) EXPECT_EQ(schedule.next(PollOutcome::changed, kMiddle), 1s);
}

TEST(PollSchedule, BacksOffToTheLongestWaitWhenNothingChanges) {
  PollSchedule schedule(1s, 5s);
  EXPECT_EQ(schedule.next(PollOutcome::changed, kMiddle), 1s);
  EXPECT_EQ(schedule.next(PollOutcome::unchanged, kMiddle), 1500ms);
  EXPECT_EQ(schedule.next(PollOutcome::unchanged, kMiddle), 2250ms);
  for (int i = 0; i < 3; i++) schedule.next(PollOutcome::unchanged, kMiddle);
  EXPECT_EQ(schedule.next(PollOutcome::unchanged, kMiddle), 5s);
  EXPECT_EQ(schedule.next(PollOutcome::changed, kMiddle), 1s);
}

TEST(PollSchedule, DoublesTheWaitAfterEachFailureAndStartsAnewAfterASuccess) {
  PollSchedule schedule(1s, 5s);
  for (int i = 0; i < 9; i++) schedule.next(PollOutcome::unchanged, kMiddle);
  EXPECT_EQ(schedule.next(PollOutcome::failed, kMiddle), 1s);
  EXPECT_EQ(schedule.next(PollOutcome::failed, kMiddle), 2s);
  EXPECT_EQ(schedule.next(PollOutcome::failed, kMiddle), 4s);
  EXPECT_EQ(schedule.next(PollOutcome::failed, kMiddle), 5s);
  EXPECT_EQ(schedule.next(PollOutcome::unchanged, kMiddle), 1s);
}

TEST(PollSchedule, TheRandomPartIsATenthAtMost) {
  PollSchedule schedule(1s, 5s);
  EXPECT_EQ(schedule.next(PollOutcome::changed, 0.0), 900ms);
  EXPECT_LE(schedule.next(PollOutcome::changed, 0.999), 1100ms);
}

}  // namespace
}  // namespace viaduct::mesos
