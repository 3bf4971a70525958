// What is wrong within one record costs that record alone.
// Source: facts on Mesos-DNS, 10.

#include "mesos/cluster.h"
#include "mesos/limits.h"
#include "tests/unit/mesos/master_builder.h"

namespace viaduct::mesos {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kGoodAgent = R"({"id":"S1","pid":"slave(1)@192.0.2.1:5051"})";
const std::string kGoodTask =
    R"({"id":"good","name":"web","slave_id":"S1","state":"TASK_RUNNING","statuses":[]})";

std::string state(const std::string& agents, const std::string& tasks,
                  const std::string& framework = R"("id":"f1","name":"marathon")",
                  const std::string& leader = R"("master@192.0.2.30:5050")") {
  return "{\"leader\":" + leader + ",\"slaves\":[" + agents + "],\"frameworks\":[{" + framework +
         ",\"tasks\":[" + tasks + "]}]}";
}

Watched polled(const std::string& text) {
  Watched watched;
  watched.poll(text);
  return watched;
}

TEST(MasterBadInput, OneAgentsPidCostsThatAgentAlone) {
  const struct {
    const char* pid;
    const char* reason;
  } bad[] = {{R"("")", "agent S2: pid \"\" has no \"@\""},
             {"null", "agent S2: has no pid"},
             {"5", "agent S2: pid is a number, not a string"},
             {"\"slave(1)\"", "agent S2: pid \"slave(1)\" has no \"@\""},
             {R"("slave(1)@192.0.2.2")", "agent S2: pid \"slave(1)@192.0.2.2\" has no port"},
             {R"("slave(1)@192.0.2.2:0")", "agent S2: pid \"slave(1)@192.0.2.2:0\" has no port"},
             {R"("slave(1)@:5051")",
              "agent S2: pid \"slave(1)@:5051\" has neither an address nor a host name"},
             {R"("slave(1)@a b:5051")",
              "agent S2: pid \"slave(1)@a b:5051\" has neither an address nor a host name"},
             {R"("slave(1)@0.0.0.0:5051")",
              "agent S2: its address 0.0.0.0 is none that a machine can have"}};
  for (const auto& [pid, reason] : bad) {
    const auto watched = polled(
        state(kGoodAgent + R"(,{"id":"S2","pid":)" + pid + "}",
              kGoodTask + R"(,{"id":"bad","name":"web","slave_id":"S2","state":"TASK_RUNNING"})"));
    EXPECT_THAT(watched.tasks(), ElementsAre("good")) << pid;
    EXPECT_THAT(watched.rejected(), ElementsAre(reason)) << pid;
  }
  const auto without =
      polled(state(kGoodAgent + R"(,{"id":"S2"},{"pid":"slave(1)@192.0.2.2:5051"},7)", kGoodTask));
  EXPECT_THAT(without.tasks(), ElementsAre("good"));
  EXPECT_THAT(without.rejected(),
              ElementsAre("agent #3: has no usable id", "agent #4: is not an object",
                          "agent S2: has no pid"));
}

TEST(MasterBadInput, OneFrameworksPlaceCostsItsAddressAlone) {
  for (const char* pid : {R"("")", "7", R"("scheduler")", R"("scheduler(1)@:1")"}) {
    const auto watched =
        polled(state(kGoodAgent, kGoodTask,
                     std::string(R"("id":"f1","name":"marathon","hostname":"h","pid":)") + pid));
    EXPECT_THAT(watched.tasks(), ElementsAre("good")) << pid;
    EXPECT_THAT(watched.processes(), Contains("framework f1 marathon -:0")) << pid;
    EXPECT_THAT(watched.rejected(), ElementsAre(HasSubstr("framework f1: pid "))) << pid;
  }
  const auto watched =
      polled(state(kGoodAgent, kGoodTask, R"("id":"f1","name":"marathon","hostname":"a b")"));
  EXPECT_THAT(watched.rejected(),
              ElementsAre("framework f1: host \"a b\" is neither an address nor a name"));
}

TEST(MasterBadInput, AFrameworkWithoutIdOrNameCostsItsTasks) {
  const std::string second = R"(]},{"id":"f2","name":"second","tasks":[)" + kGoodTask;
  auto watched =
      polled(state(kGoodAgent, R"({"id":"lost","slave_id":"S1","state":"TASK_RUNNING"})" + second,
                   R"("name":"marathon")"));
  EXPECT_THAT(watched.tasks(), ElementsAre("good"));
  EXPECT_THAT(watched.rejected(),
              ElementsAre("framework #1: has no usable id",
                          "task lost: and those behind it have no usable framework"));
  watched =
      polled(state(kGoodAgent, R"({"id":"lost","slave_id":"S1","state":"TASK_RUNNING"})" + second,
                   R"("id":"f1","name":null)"));
  EXPECT_THAT(watched.tasks(), ElementsAre("good"));
  EXPECT_THAT(watched.rejected(), ElementsAre("framework f1: has no usable name"));
  watched =
      polled(state(kGoodAgent, kGoodTask, R"("id":"f1","name":")" + std::string(300, 'x') + "\""));
  EXPECT_THAT(watched.tasks(), IsEmpty());
  EXPECT_THAT(watched.rejected(),
              ElementsAre("framework f1: its name has 300 octets; at most 255 are allowed"));
}

TEST(MasterBadInput, OneTasksFieldsCostThatTaskOrLess) {
  const std::string begin = R"({"id":"t","name":"web","slave_id":"S1","state":"TASK_RUNNING",)";
  const struct {
    std::string task;
    bool served;
    std::string reason;  // "": none
  } tasks[] = {
      {"5", false, "task #2: is not an object"},
      {R"({"name":"web"})", false, "task #2: has no usable id"},
      {R"({"id":7,"state":"TASK_RUNNING"})", false, "task #2: id is a number, not a string"},
      {R"({"id":"t","slave_id":"S1"})", false, "task t: has no usable state"},
      {R"({"id":"t","state":"TASK_RUNNING"})", false, "task t: has no usable id of an agent"},
      {R"({"id":"t","slave_id":"S9","state":"TASK_RUNNING"})", false, ""},
      {R"({"id":")" + std::string(300, 'x') + R"(","slave_id":"S1","state":"TASK_RUNNING"})", false,
       "its id has 300 octets; at most 255 are allowed"},
      {begin + R"("discovery":{"name":")" + std::string(256, 'x') + "\"}}", false,
       "its discovery name has 256 octets"},
      {begin + R"("name":")" + std::string(2000, 'x') + "\"}", true, "name has 2000 bytes"},
      {begin +
           R"("statuses":null,"discovery":null,"resources":null,"labels":null,"container":null})",
       true, ""},
      {begin + R"("statuses":{}})", true, "task t: statuses is an object, not a list"},
      {begin + R"("statuses":[{"state":"TASK_RUNNING","timestamp":"1.5"}]})", true,
       "task t, status #1: timestamp is a string, not a number"},
      {begin +
           R"("statuses":[7,{"state":"TASK_RUNNING","container_status":{"network_infos":[{"ip_addresses":[{"ip_address":"x"}]}]}}]})",
       true, "\"x\" is not an IP address"},
      {begin + R"("resources":{"ports":[31000]}})", true, "task t: ports is a list, not a string"},
      {begin + R"("resources":{"ports":"[31000-x, 31002-31002]"}})", true,
       "task t: \"31000-x\" is not a usable range of ports"},
      {begin +
           R"("discovery":{"name":"d","ports":{"ports":[{"number":"80"},{"number":70000},{"number":80}]}}})",
       true, "number is a string, not a whole number"},
  };
  for (const auto& [task, served, reason] : tasks) {
    const auto watched = polled(state(kGoodAgent, kGoodTask + "," + task));
    EXPECT_THAT(watched.tasks(), SizeIs(served ? 2 : 1)) << task;
    if (reason.empty())
      EXPECT_THAT(watched.rejected(), IsEmpty()) << task;
    else
      EXPECT_THAT(watched.rejected(), Contains(HasSubstr(reason))) << task;
  }
}

TEST(MasterBadInput, PortsMayLackBracketsAndBeVeryMany) {
  const auto ports = [](const std::string& text) {
    const auto watched = polled(state(
        kGoodAgent, R"({"id":"t","slave_id":"S1","state":"TASK_RUNNING","resources":{"ports":")" +
                        text + "\"}}"));
    return watched.rows.tasks().at(0).ports;
  };
  EXPECT_THAT(ports("[31000-31001, 31005-31005]"), ElementsAre(31000, 31001, 31005));
  EXPECT_THAT(ports("31005-31005,31000-31001"), ElementsAre(31000, 31001, 31005));
  EXPECT_THAT(ports("[31000]"), ElementsAre(31000));
  EXPECT_THAT(ports("[]"), IsEmpty());
  EXPECT_THAT(ports(""), IsEmpty());
  EXPECT_THAT(ports("[1-65535]"), SizeIs(service::kMaxTaskPorts));
  EXPECT_THAT(ports("[1-70000, 5-4, 0-1, -, 7-7]"), ElementsAre(7));
}

TEST(MasterBadInput, ALeaderMayBeNamedOddly) {
  const auto leader = [](const std::string& text) {
    Watched watched;
    watched.poll(text);
    return watched.state.named_leader();
  };
  EXPECT_EQ(leader(state(kGoodAgent, kGoodTask)), endpoint("192.0.2.30:5050"));
  for (const char* odd : {R"("master@host.example:5050")", "5", "null", R"("")", R"("master@")"})
    EXPECT_EQ(leader(state(kGoodAgent, kGoodTask, R"("id":"f1","name":"m")", odd)), std::nullopt)
        << odd;
  EXPECT_EQ(
      leader(R"({"slaves":[],"leader_info":{"pid":"master@[2001:db8::5]:5050","port":5050}})"),
      endpoint("[2001:db8::5]:5050"));
}

TEST(MasterBadInput, NullListsAreEmpty) {
  const auto watched =
      polled(R"({"leader":"master@192.0.2.30:5050","slaves":null,"frameworks":null})");
  EXPECT_THAT(watched.rejected(), IsEmpty());
  const auto tasks = polled(R"({"slaves":[],"frameworks":[{"id":"f1","name":"m","tasks":null},)"
                            R"({"id":"f2","name":"n","tasks":"x"}]})");
  EXPECT_THAT(tasks.processes(), SizeIs(2));
  EXPECT_THAT(tasks.rejected(), ElementsAre("frameworks[].tasks: is not a list"));
}

TEST(MasterBadInput, AnEventThatCannotBeUsedIsRejectedAlone) {
  const struct {
    const char* text;
    const char* reason;
  } events[] = {
      {R"({"type":"TASK_ADDED"})", "TASK_ADDED: has no body"},
      {R"({"type":"TASK_ADDED","task_added":5})", "TASK_ADDED: has no task"},
      {R"({"type":"TASK_ADDED","task_added":{"task":{}}})", "TASK_ADDED: has no usable id"},
      {R"({"type":"TASK_UPDATED","task_updated":{"status":{}}})",
       "TASK_UPDATED: names no task, framework or state"},
      {R"({"type":"AGENT_ADDED","agent_added":{"agent":{"agent_info":[]}}})",
       "AGENT_ADDED: agent_info is a list, not an object"},
      {R"({"type":"AGENT_REMOVED","agent_removed":{}})", "AGENT_REMOVED: names no agent"},
      {R"({"type":"FRAMEWORK_ADDED","framework_added":{"framework":{}}})",
       "FRAMEWORK_ADDED: has no framework_info"},
      {R"({"type":"FRAMEWORK_REMOVED","framework_removed":[]})",
       "FRAMEWORK_REMOVED: names no framework"}};
  auto model = two_agents();
  Watched watched;
  watched.record(model.subscribed());
  for (const auto& [text, reason] : events) {
    EXPECT_EQ(watched.record(text).kind, MasterStep::Kind::event);
    EXPECT_THAT(watched.rejected(), Contains(reason)) << text;
  }
  EXPECT_THAT(watched.tasks(), SizeIs(2));
  for (int i = 0; i < 1000; i++) watched.record(events[0].text);
  EXPECT_THAT(watched.rejected(), SizeIs(kMaxRejectedEvents));
  watched.record(model.subscribed());
  EXPECT_THAT(watched.rejected(), IsEmpty());
}

TEST(MasterBadInput, RejectionsGoWithTheirRecord) {
  auto model = two_agents();
  Watched watched;
  watched.record(model.subscribed());
  for (int i = 0; i < 100; i++)
    watched.record(
        R"({"type":"AGENT_ADDED","agent_added":{"agent":{"agent_info":{"id":{"value":"S1"}},"pid":""}}})");
  EXPECT_THAT(watched.rejected(), SizeIs(1));
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
  watched.record(model.agent_added({"S1", "192.0.2.1"}));
  EXPECT_THAT(watched.rejected(), IsEmpty());
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1", "web.2"));
}

TEST(MasterBadInput, RejectionsAreBounded) {
  std::string tasks;
  for (std::size_t i = 0; i < kMaxRejected + 500; i++)
    tasks += (i == 0 ? "{" : ",{") + std::string(R"("id":")") + std::to_string(i) +
             R"(","slave_id":"S1","state":"TASK_STAGING","statuses":5})";
  const auto watched = polled(state(kGoodAgent, tasks));
  ASSERT_THAT(watched.rejected(), SizeIs(kMaxRejected + 1));
  EXPECT_EQ(watched.rejected().back(), "the rest of the cluster: 500 more could not be used");
}

/// No master lists one id twice in a framework; Mesos-DNS serves both.
TEST(MasterBadInput, ATaskThatIsListedTwiceIsTwoTasks) {
  const std::string twin =
      R"(,{"id":"good","name":"other","slave_id":"S1","state":"TASK_RUNNING"})";
  auto watched = polled(state(kGoodAgent, kGoodTask + twin));
  ASSERT_THAT(watched.tasks(), ElementsAre("good", "good"));
  EXPECT_EQ(watched.rows.tasks()[0].name, "other");
  EXPECT_EQ(watched.rows.tasks()[1].name, "web");
  EXPECT_THAT(watched.rejected(), IsEmpty());
  watched.poll(state(kGoodAgent, kGoodTask + twin));
  EXPECT_THAT(watched.tasks(), ElementsAre("good", "good"));
  watched.poll(state(kGoodAgent, kGoodTask));
  EXPECT_THAT(watched.tasks(), ElementsAre("good"));
  std::string many = kGoodTask;
  for (int i = 0; i < 20; i++)
    many += R"(,{"id":"good","name":"other)" + std::to_string(i) +
            R"(","slave_id":"S1","state":"TASK_RUNNING"})";
  watched.poll(state(kGoodAgent, many));
  EXPECT_THAT(watched.tasks(), testing::SizeIs(1 + kMaxTwins));
  EXPECT_THAT(watched.rejected(),
              testing::Contains("task good: is listed twice; the first one counts"));
}

TEST(MasterBadInput, AddressesOfOneMachineAloneAreServed) {
  const auto watched = polled(state(
      kGoodAgent + R"(,{"id":"S2","pid":"slave(1)@127.0.0.1:5051"})",
      kGoodTask + R"(,{"id":"own","name":"web","slave_id":"S2","state":"TASK_RUNNING",)"
                  R"("statuses":[{"state":"TASK_RUNNING","timestamp":1,"container_status":)"
                  R"({"network_infos":[{"ip_addresses":[{"ip_address":"::ffff:10.0.0.2"}]}]}}]})"));
  ASSERT_THAT(watched.tasks(), ElementsAre("good", "own"));
  EXPECT_EQ(watched.rows.tasks()[1].agent[0].to_string(), "127.0.0.1");
  EXPECT_EQ(watched.rows.tasks()[1].addresses[0].address.to_string(), "10.0.0.2");
  EXPECT_THAT(watched.rejected(), IsEmpty());
}

TEST(MasterBadInput, ATaskOverTheLimitIsLostAlone) {
  const auto watched = polled(state(
      kGoodAgent, R"({"id":"huge","slave_id":"S1","state":"TASK_RUNNING","labels":[{"key":")" +
                      std::string(kMaxRecordBytes, 'x') + "\"}]}," + kGoodTask));
  EXPECT_THAT(watched.tasks(), ElementsAre("good"));
  EXPECT_THAT(watched.rejected(), ElementsAre("task #1: is too large"));
}

TEST(MasterBadInput, FrameworksBeyondTheLimitAreRejectedTogether) {
  std::string frameworks;
  for (std::size_t i = 0; i < kMaxClusterFrameworks + 5; i++)
    frameworks +=
        (i == 0 ? "" : ",") + std::string(R"({"id":")") + std::to_string(i) + R"(","name":"m"})";
  MasterState big;
  ASSERT_TRUE(big.on_state("{\"frameworks\":[" + frameworks + "]}", kStart));
  EXPECT_EQ(big.counts().frameworks, kMaxClusterFrameworks);
  ASSERT_THAT(big.rejected(), SizeIs(1));
  EXPECT_EQ(big.rejected()[0].reason, "only the first 10000 are read");
}

}  // namespace
}  // namespace viaduct::mesos
