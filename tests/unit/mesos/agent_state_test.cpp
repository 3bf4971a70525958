#include "mesos/agent_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mesos/errors.h"
#include "tests/unit/mesos/task_builder.h"

namespace viaduct::mesos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const std::string kFrameworks =
    R"("get_frameworks":{"frameworks":[{"framework_info":{"id":{"value":"f1"},"name":"marathon"}}]})";

/// A whole answer around the text of task objects.
std::string answer(const std::string& tasks) {
  return R"({"type":"GET_STATE","get_state":{"get_tasks":{"launched_tasks":[)" + tasks + "]}," +
         kFrameworks + "}}";
}

/// A running task of f1 with more members.
std::string task(const std::string& id, const std::string& more = "") {
  return R"({"task_id":{"value":")" + id +
         R"("},"framework_id":{"value":"f1"},"state":"TASK_RUNNING")" +
         (more.empty() ? "" : "," + more) + "}";
}

AgentState parse(const std::string& text) {
  auto state = parse_agent_state(text);
  EXPECT_TRUE(state) << state.error().message();
  return state ? *state : AgentState{};
}

Task only_task(const std::string& more) {
  const AgentState state = parse(answer(task("web.1", more)));
  EXPECT_THAT(state.tasks, SizeIs(1));
  return state.tasks.empty() ? Task{} : state.tasks[0];
}

std::vector<std::string> rejections(const std::string& more) {
  std::vector<std::string> out;
  for (const auto& row : parse(answer(task("web.1", more))).rejected)
    out.push_back(row.where + ": " + row.reason);
  return out;
}

TEST(AgentState, ReadsTasksAndFrameworks) {
  const AgentState state = parse(answer(task("a") + "," + task("b")));
  EXPECT_THAT(state.frameworks, ElementsAre(Pair("f1", "marathon")));
  ASSERT_THAT(state.tasks, SizeIs(2));
  EXPECT_EQ(state.tasks[1].id, "b");
  EXPECT_EQ(state.tasks[1].framework_id, "f1");
  EXPECT_EQ(state.tasks[1].state, TaskState::running);
  EXPECT_THAT(state.rejected, IsEmpty());
}

TEST(AgentState, FallsBackToTasksWhereLaunchedTasksAreMissing) {
  EXPECT_THAT(parse(R"({"get_state":{"get_tasks":{"tasks":[)" + task("a") + "]}}}").tasks,
              SizeIs(1));
  EXPECT_THAT(
      parse(R"({"get_state":{"get_tasks":{"launched_tasks":[],"tasks":[)" + task("a") + "]}}}")
          .tasks,
      IsEmpty());
}

TEST(AgentState, AnEmptyAgentIsAnAnswer) {
  EXPECT_THAT(parse(R"({"type":"GET_STATE","get_state":{"get_tasks":{}}})").tasks, IsEmpty());
}

TEST(AgentState, WhatIsNoAnswerIsAnErrorAndNeverAnEmptyAgent) {
  for (const char* text :
       {R"([])", R"({})", R"({"get_state":[]})", R"({"get_state":{}})",
        R"({"get_state":{"get_tasks":[]}})", R"({"get_state":{"get_tasks":{"launched_tasks":{}}}})",
        R"({"get_state":{"get_tasks":{"launched_tasks":null}}})",
        R"({"get_state":{"get_tasks":{},"get_frameworks":7}})",
        R"({"get_state":{"get_tasks":{},"get_frameworks":{"frameworks":"x"}}})"}) {
    const auto state = parse_agent_state(text);
    ASSERT_FALSE(state) << text;
    EXPECT_EQ(state.error().code, Errc::unexpected_shape) << text;
    EXPECT_FALSE(state.error().context.empty());
  }
  for (const char* text :
       {"", "{", "not json", R"({"get_state":{"get_tasks":{}}} trailing)", "{\"a\":\"\xff\"}"}) {
    const auto state = parse_agent_state(text);
    ASSERT_FALSE(state) << text;
    EXPECT_EQ(state.error().code, Errc::bad_json) << text;
  }
}

TEST(AgentState, ATaskOfTheWrongShapeCostsOnlyItself) {
  const AgentState state = parse(answer(
      R"(7,{},{"task_id":"x"},{"task_id":{"value":"y"},"state":"TASK_RUNNING"},{"task_id":{"value":"z"},)"
      R"("framework_id":{"value":"f1"}},)" +
      task("good")));
  ASSERT_THAT(state.tasks, SizeIs(1));
  EXPECT_EQ(state.tasks[0].id, "good");
  EXPECT_THAT(state.rejected,
              ElementsAre(service::RejectedRow{"task #1", "is not an object"},
                          service::RejectedRow{"task #2", "has no usable task_id"},
                          service::RejectedRow{"task #3", "task_id is a string, not an object"},
                          service::RejectedRow{"task #3", "has no usable task_id"},
                          service::RejectedRow{"task y", "has no usable framework_id"},
                          service::RejectedRow{"task z", "has no usable state"}));
}

TEST(AgentState, ATaskListedTwiceCountsOnce) {
  const AgentState state = parse(answer(task("a") + "," + task("a", R"("name":"other")")));
  EXPECT_THAT(state.tasks, SizeIs(1));
  EXPECT_THAT(state.rejected,
              ElementsAre(service::RejectedRow{"task a", "is listed twice; the first one counts"}));
}

TEST(AgentState, AFrameworkOfTheWrongShapeCostsOnlyItself) {
  const AgentState state = parse(
      R"({"get_state":{"get_tasks":{},"get_frameworks":{"frameworks":[1,{"framework_info":{"id":{"value":"f2"},"name":5}},)"
      R"({"framework_info":{"id":{"value":"f3"},"name":"spark"}}]}}})");
  EXPECT_THAT(state.frameworks, ElementsAre(Pair("f3", "spark")));
  EXPECT_THAT(state.rejected,
              ElementsAre(service::RejectedRow{"framework #1", "is not an object"},
                          service::RejectedRow{"framework f2", "name is a number, not a string"},
                          service::RejectedRow{"framework f2", "has no usable name"}));
}

TEST(AgentState, StatesHaveTheirMeaningByName) {
  for (const char* name : {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_LOST", "TASK_ERROR",
                           "TASK_DROPPED", "TASK_GONE", "TASK_GONE_BY_OPERATOR"})
    EXPECT_EQ(parse_task_state(name), TaskState::terminal) << name;
  for (const char* name :
       {"TASK_STAGING", "TASK_STARTING", "TASK_UNREACHABLE", "TASK_UNKNOWN", "TASK_NEW_ONE"})
    EXPECT_EQ(parse_task_state(name), TaskState::preparing) << name;
  EXPECT_EQ(parse_task_state("TASK_KILLING"), TaskState::killing);
}

TEST(AgentState, TheTasksStateWinsOverItsStatuses) {
  EXPECT_EQ(only_task(R"("statuses":[{"state":"TASK_STARTING","timestamp":1.0}])").state,
            TaskState::running);
}

TEST(AgentState, HealthComesFromTheNewestStatus) {
  EXPECT_EQ(
      only_task(
          R"("statuses":[{"timestamp":2.0,"healthy":true},{"timestamp":1.0,"healthy":false}])")
          .healthy,
      true);
  EXPECT_EQ(
      only_task(
          R"("statuses":[{"timestamp":2.0,"healthy":true},{"timestamp":2.0,"healthy":false}])")
          .healthy,
      false);
  EXPECT_EQ(only_task(R"("statuses":[{"timestamp":1.0,"healthy":true},{"timestamp":2.0}])").healthy,
            std::nullopt);
  EXPECT_EQ(only_task(R"("statuses":[{"healthy":true},{"healthy":false}])").healthy, false);
  EXPECT_TRUE(only_task(R"("health_check":{"type":"TCP"})").has_health_check);
}

const std::string kTwoNetworks =
    R"("container_status":{"network_infos":[{"name":"dcos","ip_addresses":[{"ip_address":"198.51.100.2"},)"
    R"({"ip_address":"fd78:1::2/64"}]},{"name":"bridge","ip_addresses":[{"ip_address":"203.0.113.3"}]}]})";

TEST(AgentState, AddressesComeWithTheirNetworkAndLoseTheirPrefixLength) {
  EXPECT_THAT(
      only_task(R"("statuses":[{"timestamp":1.0,)" + kTwoNetworks + "}]").addresses,
      ElementsAre(TaskAddress{addr("198.51.100.2"), "dcos"}, TaskAddress{addr("fd78:1::2"), "dcos"},
                  TaskAddress{addr("203.0.113.3"), "bridge"}));
}

TEST(AgentState, AStatusWithoutContainerKeepsTheAddressesOfTheOneBefore) {
  EXPECT_THAT(
      only_task(
          R"("statuses":[{"timestamp":1.0,)" + kTwoNetworks +
          R"(},{"timestamp":2.0},{"timestamp":3.0,"container_status":{"network_infos":[{}]}}])")
          .addresses,
      SizeIs(3));
}

TEST(AgentState, AnAddressThatCannotBeReadCostsOnlyItself) {
  const std::string more =
      R"("statuses":[{"timestamp":1.0,"container_status":{"network_infos":[7,{"ip_addresses":[{"ip_address":"web.example"},)"
      R"({"ip_address":5},{},{"ip_address":"198.51.100.2"}]}]}}])";
  EXPECT_THAT(only_task(more).addresses, ElementsAre(TaskAddress{addr("198.51.100.2"), ""}));
  EXPECT_THAT(
      rejections(more),
      testing::Contains(
          "task web.1, status #1, network #2, address #1: \"web.example\" is not an IP address"));
}

TEST(AgentState, PortMappingsComeFromWhereTheContainerTypeHasThem) {
  const std::string mesos_type =
      R"("container":{"type":"MESOS","network_infos":[{"name":"bridge","port_mappings":[{"host_port":31002,)"
      R"("container_port":8080,"protocol":"tcp"}]}]})";
  EXPECT_THAT(only_task(mesos_type).mappings,
              ElementsAre(MappedPort{31002, 8080, "tcp", "bridge"}));
  const std::string docker =
      R"("container":{"type":"DOCKER","docker":{"port_mappings":[{"host_port":31003,"container_port":80}]},)"
      R"("network_infos":[{"port_mappings":[{"host_port":1,"container_port":2}]}]})";
  EXPECT_THAT(only_task(docker).mappings, ElementsAre(MappedPort{31003, 80, "", ""}));
  EXPECT_TRUE(only_task(docker).is_docker);
  const std::string pod =
      R"("statuses":[{"timestamp":1.0,"container_status":{"network_infos":[{"name":"bridge","ip_addresses":)"
      R"([{"ip_address":"203.0.113.4"}],"port_mappings":[{"host_port":2254,"container_port":8080}]}]}}])";
  EXPECT_THAT(only_task(pod).mappings, ElementsAre(MappedPort{2254, 8080, "", "bridge"}));
  EXPECT_THAT(only_task(mesos_type + "," + pod).mappings,
              ElementsAre(MappedPort{31002, 8080, "tcp", "bridge"}));
}

TEST(AgentState, PortResourcesOfAllRolesAreReadInOrder) {
  const std::string more =
      R"("resources":[{"name":"cpus","scalar":{"value":1.0}},{"name":"ports","ranges":{"range":[{"begin":31000,"end":31001},)"
      R"({"begin":31005,"end":31005}]}},{"name":"ports","ranges":{"range":[{"begin":80.0,"end":80}]}}])";
  EXPECT_THAT(only_task(more).port_resources,
              ElementsAre(PortRange{31000, 31001}, PortRange{31005, 31005}, PortRange{80, 80}));
}

TEST(AgentState, NoPortIsCountedBehindARangeThatIsWrong) {
  const std::string more =
      R"("resources":[{"name":"ports","ranges":{"range":[{"begin":31000,"end":31001},{"begin":5,"end":99999999999},)"
      R"({"begin":31005,"end":31005}]}}])";
  EXPECT_THAT(only_task(more).port_resources, ElementsAre(PortRange{31000, 31001}));
  EXPECT_THAT(rejections(more),
              ElementsAre("task web.1, resource #1, range #2: is not a usable range of ports"));
}

TEST(AgentState, OnlyLabelsThatMatterAreLookedAt) {
  const std::string more =
      R"("labels":{"labels":[{"key":"HAPROXY_0_HEAD","value":")" + std::string(5000, 'x') +
      R"("},{"key":"DATA","value":7},{"key":"Vip_Port0","value":"tcp://a:80"}]})";
  EXPECT_THAT(only_task(more).labels, ElementsAre(Label{"Vip_Port0", "tcp://a:80"}));
  EXPECT_THAT(rejections(more), IsEmpty());
}

TEST(AgentState, APortOrLabelOfTheWrongShapeCostsOnlyItself) {
  const std::string more =
      R"("discovery":{"ports":{"ports":["x",{},{"number":"80"},{"number":1.5},{"number":8080,"protocol":6,"labels":)"
      R"({"labels":[{"value":"a"},3,{"key":"VIP_0","value":9},{"key":"VIP_1","value":"/web:80"},{"key":"VIP_2"}]}}]}})";
  const Task read = only_task(more);
  ASSERT_THAT(read.discovery_ports, SizeIs(1));
  EXPECT_THAT(read.discovery_ports[0].labels,
              ElementsAre(Label{"VIP_1", "/web:80"}, Label{"VIP_2", ""}));
  EXPECT_THAT(
      rejections(more),
      ElementsAre("task web.1, discovery port #1: is not an object",
                  "task web.1, discovery port #2: has no number",
                  "task web.1, discovery port #3: number is a string, not a whole number in range",
                  "task web.1, discovery port #4: number is a number, not a whole number in range",
                  "task web.1, port 8080: protocol is a number, not a string",
                  "task web.1, port 8080: has a label without a key",
                  "task web.1, port 8080: has a label without a key",
                  "task web.1, port 8080, label VIP_0: value is a number, not a string"));
}

TEST(AgentState, UnknownMembersAreIgnored) {
  EXPECT_THAT(
      rejections(
          R"("kill_policy":{"grace":[1]},"future":[{"x":null}],"labels":null,"discovery":null)"),
      IsEmpty());
}

TEST(AgentInfo, NeedsAnIdOnly) {
  EXPECT_EQ(parse_agent_info(R"({"get_agent":{"agent_info":{"id":{"value":"S0"}}}})").value(),
            (AgentInfo{"S0", ""}));
  EXPECT_EQ(
      parse_agent_info(R"({"get_agent":{"agent_info":{"id":{"value":"S0"},"port":6061}}})")->port,
      6061);
  EXPECT_EQ(
      parse_agent_info(R"({"get_agent":{"agent_info":{"id":{"value":"S0"},"port":99999}}})")->port,
      kAgentPort);
  EXPECT_EQ(parse_agent_info(R"({"get_agent":{}})").error().code, Errc::unexpected_shape);
  EXPECT_EQ(parse_agent_info("{").error().code, Errc::bad_json);
}

}  // namespace
}  // namespace viaduct::mesos
