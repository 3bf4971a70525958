// What a snapshot that lists less withdraws, and when.

#include "tests/unit/mesos/master_builder.h"

namespace viaduct::mesos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MasterState::Options kOptions{std::chrono::minutes(10), 5s};

const char* const kEmpty =
    R"({"type":"SUBSCRIBED","subscribed":{"get_state":{"get_tasks":{},"get_frameworks":{},"get_agents":{}}}})";

class Held : public testing::Test {
 protected:
  Held() : watched(kOptions) { watched.record(model.subscribed()); }

  test::ClusterModel model = two_agents();
  Watched watched;
};

TEST_F(Held, AnEmptySnapshotWithdrawsNothingUntilTheHoldIsOver) {
  EXPECT_FALSE(watched.record(kEmpty, kStart + 1s).change);
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1", "web.2"));
  EXPECT_THAT(watched.processes(), SizeIs(3));
  EXPECT_EQ(watched.state.counts().held, 2u);
  EXPECT_EQ(watched.state.next_tick(), kStart + 1s + kOptions.hold);
  watched.tick(kStart + kOptions.hold);
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1", "web.2"));
  watched.tick(kStart + 1s + kOptions.hold);
  EXPECT_THAT(watched.tasks(), IsEmpty());
  EXPECT_THAT(watched.processes(), IsEmpty());
  EXPECT_EQ(watched.state.next_tick(), std::nullopt);
  EXPECT_EQ(watched.state.counts().held, 0u);
}

TEST_F(Held, AnotherEmptySnapshotDoesNotProlongTheHold) {
  watched.record(kEmpty, kStart);
  watched.record(kEmpty, kStart + 60s);
  EXPECT_EQ(watched.state.next_tick(), kStart + kOptions.hold);
}

TEST_F(Held, ATaskThatItsAgentNoLongerHasEndsSoonAfterTheAgentIsBack) {
  watched.record(kEmpty, kStart);
  watched.record(model.agent_added({"S1", "192.0.2.1"}), kStart + 30s);
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1", "web.2"));
  EXPECT_EQ(watched.state.next_tick(), kStart + 35s);
  watched.tick(kStart + 35s);
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
}

TEST_F(Held, ATaskThatItsAgentStillHasStays) {
  watched.record(kEmpty, kStart);
  watched.record(model.agent_added({"S1", "192.0.2.1"}), kStart + 30s);
  watched.record(model.task_added(model.tasks().at({"f1", "web.1"})), kStart + 31s);
  EXPECT_EQ(watched.state.next_tick(), kStart + kOptions.hold);
  EXPECT_EQ(watched.state.counts().held, 1u);
  watched.tick(kStart + 60s);
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1", "web.2"));
  // Its framework has to come back as well.
  watched.tick(kStart + kOptions.hold);
  EXPECT_THAT(watched.tasks(), IsEmpty());
}

TEST_F(Held, AnUpdateEndsTheHoldOneWayOrTheOther) {
  watched.record(kEmpty, kStart);
  watched.records(model.update("f1", "web.1", {"TASK_RUNNING", 2, {"198.51.100.1"}}), kStart + 1s);
  EXPECT_EQ(watched.state.counts().held, 1u);
  watched.records(model.update("f1", "web.2", {"TASK_KILLED", 3, {}}), kStart + 1s);
  EXPECT_EQ(watched.state.counts().held, 0u);
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1"));
}

TEST_F(Held, AgentsAndFrameworksThatAreRemovedTakeTheirHeldTasksAlong) {
  watched.record(kEmpty, kStart);
  watched.record(R"({"type":"AGENT_REMOVED","agent_removed":{"agent_id":{"value":"S1"}}})");
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
  watched.record(
      R"({"type":"FRAMEWORK_REMOVED","framework_removed":{"framework_info":{"id":{"value":"f1"}}}})");
  EXPECT_THAT(watched.tasks(), IsEmpty());
  EXPECT_THAT(watched.processes(), ElementsAre("agent S2 192.0.2.2:5051"));
}

TEST_F(Held, ATaskEndsAtOnceIfItsAgentIsListedWithoutIt) {
  model.update("f1", "web.1", {"TASK_KILLED", 2, {}});
  watched.record(model.subscribed());
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
}

TEST_F(Held, TasksEndAtOnceIfTheMasterHasLostTheirAgent) {
  model.lose_agent("S1");
  watched.record(model.subscribed());
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
  EXPECT_EQ(watched.processes()[1], "agent S2 192.0.2.2:5051");
}

TEST_F(Held, TasksEndAtOnceIfAnotherTaskOfTheirAgentIsUnreachable) {
  // A master keeps only so many unreachable tasks of a framework.
  watched.record(
      R"({"type":"SUBSCRIBED","subscribed":{"get_state":{"get_tasks":{"unreachable_tasks":[)"
      R"({"task_id":{"value":"old"},"framework_id":{"value":"f1"},"agent_id":{"value":"S1"}}]}}}})");
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
  EXPECT_EQ(watched.state.counts().held, 1u);
  EXPECT_THAT(watched.processes(),
              ElementsAre("framework f1 marathon -:0", "agent S2 192.0.2.2:5051"));
  Watched polled(kOptions);
  polled.poll(model.state());
  polled.poll(
      R"({"slaves":[],"frameworks":[{"unreachable_tasks":[{"id":"old","slave_id":"S2"}],"id":"f1","name":"m"}]})");
  EXPECT_THAT(polled.tasks(), ElementsAre("web.1"));
}

TEST_F(Held, TasksEndAtOnceIfTheyAreListedAsCompleted) {
  watched.record(
      R"({"type":"SUBSCRIBED","subscribed":{"get_state":{"get_tasks":{"completed_tasks":[)"
      R"({"task_id":{"value":"web.1"},"framework_id":{"value":"f1"}}]}}}})");
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
}

TEST_F(Held, TasksEndAtOnceIfTheirFrameworkIsListedAsCompleted) {
  watched.record(
      R"({"type":"SUBSCRIBED","subscribed":{"get_state":{"get_frameworks":{"completed_frameworks":[)"
      R"({"framework_info":{"id":{"value":"f1"}}}]}}}})");
  EXPECT_THAT(watched.tasks(), IsEmpty());
  EXPECT_THAT(watched.processes(),
              ElementsAre("agent S1 192.0.2.1:5051", "agent S2 192.0.2.2:5051"));
}

TEST_F(Held, AStateThatListsNothingHoldsAsWell) {
  Watched polled(kOptions);
  polled.poll(model.state());
  EXPECT_FALSE(
      polled
          .poll(R"({"leader":"master@192.0.2.250:5050","slaves":[],"frameworks":[]})", kStart + 1s)
          .change);
  EXPECT_THAT(polled.tasks(), ElementsAre("web.1", "web.2"));
  polled.tick(kStart + 1s + kOptions.hold);
  EXPECT_THAT(polled.tasks(), IsEmpty());
}

TEST_F(Held, RecordsThatAreForgottenTakeNothingAlong) {
  watched.record(kEmpty, kStart);
  watched.tick(kStart + kOptions.hold);
  watched.record(model.subscribed(), kStart + kOptions.hold + 1s);
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1", "web.2"));
}

}  // namespace
}  // namespace viaduct::mesos
