#include "mesos/master_state.h"

#include "mesos/errors.h"
#include "tests/unit/mesos/master_builder.h"

namespace viaduct::mesos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(MasterState, ATaskIsServedWhileItRuns) {
  test::ClusterModel model;
  Watched watched;
  watched.record(model.subscribed());
  watched.records(model.add_agent({"S1", "192.0.2.1"}));
  EXPECT_TRUE(
      watched.record(model.add_framework({"f1", "marathon", "192.0.2.9", ""})[0]).wants_summary);
  watched.records(
      model.launch({"web.1", "f1", "S1", "web", "found", "TASK_STAGING", {}, {{31000, 31001}}}));
  watched.records(model.update("f1", "web.1", {"TASK_STARTING", 1, {"198.51.100.1"}}));
  EXPECT_THAT(watched.tasks(), IsEmpty());
  watched.records(
      model.update("f1", "web.1", {"TASK_RUNNING", 2, {"198.51.100.1", "2001:db8::5/64"}}));
  ASSERT_THAT(watched.tasks(), ElementsAre("web.1"));
  service::TaskRow row;
  row.framework = "marathon";
  row.id = "web.1";
  row.name = "web";
  row.discovery = "found";
  row.agent_id = "S1";
  row.agent = {addr("192.0.2.1")};
  row.addresses = {{service::AddressSource::netinfo, addr("198.51.100.1")},
                   {service::AddressSource::netinfo, addr("2001:db8::5")}};
  row.ports = {31000, 31001};
  row.discovery_ports = {{80, "http", "tcp"}};
  EXPECT_EQ(watched.rows.tasks()[0], row);
  // Health does not count, and the same again changes nothing.
  EXPECT_FALSE(watched
                   .record(model.update("f1", "web.1",
                                        {"TASK_RUNNING", 3, {"198.51.100.1", "2001:db8::5/64"}})[0])
                   .change);
  watched.records(model.update("f1", "web.1", {"TASK_KILLING", 4, {}}));
  EXPECT_THAT(watched.tasks(), IsEmpty());
  watched.records(model.update("f1", "web.1", {"TASK_KILLED", 5, {}}));
  EXPECT_THAT(watched.processes(),
              ElementsAre("framework f1 marathon 192.0.2.9:0", "agent S1 192.0.2.1:5051"));
}

TEST(MasterState, TheStateCountsAndTheStatusTellsTheAddresses) {
  Watched watched;
  auto model = two_agents();
  watched.record(model.subscribed());
  const auto update = [](const std::string& state, const std::string& status) {
    return R"({"type":"TASK_UPDATED","task_updated":{"framework_id":{"value":"f1"},"state":")" +
           state + R"(","status":{"task_id":{"value":"web.1"},"state":")" + status +
           R"(","container_status":{"network_infos":[{"ip_address":"198.51.100.77"}]}}}})";
  };
  watched.record(update("TASK_RUNNING", "TASK_STARTING"));
  EXPECT_EQ(watched.rows.tasks()[0].addresses[0].address, addr("198.51.100.1"));
  watched.record(update("TASK_RUNNING", "TASK_RUNNING"));
  EXPECT_EQ(watched.rows.tasks()[0].addresses[0].address, addr("198.51.100.77"));
  watched.record(update("TASK_FINISHED", "TASK_RUNNING"));
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
  EXPECT_EQ(watched.state.counts().ignored_updates, 0u);
  watched.record(update("TASK_RUNNING", "TASK_RUNNING"));
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
  EXPECT_EQ(watched.state.counts().ignored_updates, 1u);
}

TEST(MasterState, PortMappingsOfAPodComeWithItsStatus) {
  Watched watched;
  auto model = two_agents();
  watched.record(model.subscribed());
  const auto update = [&](const std::string& host_port) {
    watched.record(
        R"({"type":"TASK_UPDATED","task_updated":{"framework_id":{"value":"f1"},"state":"TASK_RUNNING","status":)"
        R"({"task_id":{"value":"web.1"},"state":"TASK_RUNNING","container_status":{"network_infos":[{"ip_addresses":)"
        R"([{"ip_address":"198.51.100.1"}],"port_mappings":[{"container_port":80,"host_port":)" +
        host_port + "}]}]}}}}");
    return watched.rows.tasks()[0].host_port;
  };
  EXPECT_TRUE(update("31000"));
  EXPECT_FALSE(update("0"));
}

TEST(MasterState, ATaskMayComeBeforeItsAgentAndItsFramework) {
  auto model = two_agents();
  Watched watched;
  watched.record(test::ClusterModel().subscribed());
  watched.record(model.task_added(model.tasks().at({"f1", "web.1"})));
  EXPECT_THAT(watched.tasks(), IsEmpty());
  watched.record(model.agent_added({"S1", "[2001:db8::1]"}));
  EXPECT_THAT(watched.tasks(), IsEmpty());
  watched.records(model.return_framework("f1"));
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1"));
  EXPECT_EQ(watched.rows.tasks()[0].agent[0], addr("2001:db8::1"));
}

TEST(MasterState, TwoFrameworksMayHaveOneNameAndTheirTasksOneId) {
  auto model = two_agents();
  model.add_framework({"f2", "marathon", "", ""});
  model.launch({"web.1", "f2", "S2", "other", ""});
  model.update("f2", "web.1", {"TASK_RUNNING", 1, {}});
  Watched watched;
  watched.record(model.subscribed());
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1", "web.1", "web.2"));
  watched.records(model.remove_framework("f1"));
  ASSERT_THAT(watched.tasks(), ElementsAre("web.1"));
  EXPECT_EQ(watched.rows.tasks()[0].name, "other");
}

TEST(MasterState, AFrameworkThatIsRenamedRenamesItsTasks) {
  auto model = two_agents();
  Watched watched;
  watched.record(model.subscribed());
  const auto step = watched.record(model.rename_framework("f1", "marathon-2")[0]);
  EXPECT_EQ(step.change.tasks_removed.size(), 2u);
  EXPECT_EQ(watched.rows.tasks()[0].framework, "marathon-2");
  EXPECT_EQ(watched.rows.tasks()[1].framework, "marathon-2");
}

TEST(MasterState, AnAgentThatIsLostIsNoAgentThoughNoRecordSaysSo) {
  auto model = two_agents();
  Watched watched;
  watched.record(model.subscribed());
  watched.records(model.lose_agent("S1"));
  EXPECT_THAT(watched.tasks(), ElementsAre("web.2"));
  EXPECT_EQ(watched.processes()[1], "agent S2 192.0.2.2:5051");
  watched.records(model.return_agent("S1", false));
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1", "web.2"));
}

TEST(MasterState, AnAgentWithANewAddressTakesItsTasksAlong) {
  auto model = two_agents();
  Watched watched;
  watched.record(model.subscribed());
  watched.record(model.agent_added({"S1", "192.0.2.77"}));
  EXPECT_EQ(watched.rows.tasks()[0].agent[0], addr("192.0.2.77"));
  EXPECT_EQ(watched.rows.tasks()[1].agent[0], addr("192.0.2.2"));
}

TEST(MasterState, HostNamesAreLookedUp) {
  test::ClusterModel model;
  model.add_agent({"S1", "agent.example"});
  model.add_framework({"f1", "marathon", "ignored.example", "scheduler-1@sched.example:8080"});
  model.launch({"web.1", "f1", "S1", "web", ""});
  model.update("f1", "web.1", {"TASK_RUNNING", 1, {}});
  Watched watched;
  watched.poll(model.state());
  EXPECT_THAT(watched.state.hosts(), ElementsAre("agent.example", "sched.example"));
  EXPECT_THAT(watched.tasks(), IsEmpty());
  EXPECT_THAT(watched.rejected(), IsEmpty());
  watched.resolve("agent.example", {addr("2001:db8::1"), addr("192.0.2.1"), addr("127.0.0.1")});
  EXPECT_EQ(watched.rows.tasks()[0].agent, (std::vector{addr("192.0.2.1"), addr("2001:db8::1")}));
  watched.resolve("agent.example", {addr("192.0.2.1"), addr("2001:db8::1"), addr("192.0.2.1")});
  watched.resolve("sched.example", {addr("192.0.2.8")});
  EXPECT_THAT(
      watched.processes(),
      ElementsAre("framework f1 marathon 192.0.2.8:8080", "agent S1 192.0.2.1,2001:db8::1:5051",
                  "master 192.0.2.250:5050 192.0.2.250:5050 #0 leads"));
  watched.resolve("agent.example", {});
  watched.resolve("nobody.example", {addr("192.0.2.1")});
  EXPECT_THAT(watched.tasks(), IsEmpty());
  EXPECT_THAT(watched.rejected(),
              ElementsAre("agent S1: the host name agent.example has no address"));
  watched.records(model.remove_framework("f1"));
  watched.records(model.shut_down_agent("S1"));
  EXPECT_THAT(watched.state.hosts(), IsEmpty());
}

TEST(MasterState, OnlyTheSummaryHasThePidOfAScheduler) {
  test::ClusterModel model;
  model.add_framework({"f1", "marathon", "sched.example", "scheduler(1)@192.0.2.9:8080"});
  Watched watched;
  EXPECT_TRUE(watched.record(model.subscribed()).wants_summary);
  EXPECT_THAT(watched.processes(), ElementsAre("framework f1 marathon -:0"));
  watched.summary(model.summary());
  EXPECT_THAT(watched.processes(), ElementsAre("framework f1 marathon 192.0.2.9:8080"));
  EXPECT_THAT(watched.state.hosts(), IsEmpty());
  // What is known stays until the next summary.
  EXPECT_TRUE(watched.record(model.rename_framework("f1", "chronos")[0]).wants_summary);
  EXPECT_THAT(watched.processes(), ElementsAre("framework f1 chronos 192.0.2.9:8080"));
  watched.summary(R"({"frameworks":[{"id":"f1","name":"chronos","hostname":"sched.example"}]})");
  EXPECT_THAT(watched.state.hosts(), ElementsAre("sched.example"));
  EXPECT_FALSE(watched.state.on_summary(R"({"frameworks":[{"id":"f9","name":"x"},5]})").value());
  EXPECT_EQ(watched.state.on_summary("{}").error().code, Errc::unexpected_shape);
  EXPECT_EQ(watched.state.on_summary("x").error().code, Errc::bad_json);
}

TEST(MasterState, MastersAreNumberedInTheirOrder) {
  Watched watched;
  const std::vector all = {endpoint("192.0.2.31:5050"), endpoint("192.0.2.32:5050"),
                           endpoint("192.0.2.31:5051"), endpoint("[2001:db8::33]:5050")};
  watched.masters({all, std::nullopt});
  EXPECT_THAT(watched.processes(), ElementsAre("master 192.0.2.31:5050 192.0.2.31:5050 #0",
                                               "master 192.0.2.32:5050 192.0.2.32:5050 #1",
                                               "master [2001:db8::33]:5050 2001:db8::33:5050 #2"));
  watched.masters({all, endpoint("192.0.2.32:5055")});
  EXPECT_EQ(watched.processes()[1], "master 192.0.2.32:5055 192.0.2.32:5055 #2 leads");
  watched.masters({all, endpoint("192.0.2.99:5050")});
  EXPECT_EQ(watched.processes()[2], "master 192.0.2.99:5050 192.0.2.99:5050 #3 leads");
  watched.masters({});
  EXPECT_THAT(watched.processes(), IsEmpty());
}

TEST(MasterState, AStateNamesTheLeaderUntilAStreamTakesOver) {
  auto model = two_agents();
  Watched watched;
  const std::vector all = {endpoint("192.0.2.250:5050"), endpoint("192.0.2.251:5050")};
  watched.masters({all, all[1]});
  watched.poll(model.state());
  EXPECT_EQ(watched.state.named_leader(), all[0]);
  EXPECT_EQ(watched.processes().end()[-2], "master 192.0.2.250:5050 192.0.2.250:5050 #0 leads");
  watched.record(model.subscribed());
  EXPECT_EQ(watched.processes().end()[-1], "master 192.0.2.251:5050 192.0.2.251:5050 #1 leads");
}

TEST(MasterState, WhatARecordIsIsTold) {
  Watched watched;
  EXPECT_EQ(watched.record(R"({"type":"HEARTBEAT"})").kind, MasterStep::Kind::heartbeat);
  EXPECT_EQ(watched.record(R"({"type":"AGENT_DRAINED","agent_drained":{}})").kind,
            MasterStep::Kind::unknown);
  const auto snapshot =
      watched.record(R"({"subscribed":{"get_state":{"get_agents":null}},"type":"SUBSCRIBED"})");
  EXPECT_EQ(snapshot.kind, MasterStep::Kind::snapshot);
  EXPECT_EQ(snapshot.heartbeat, std::nullopt);
  EXPECT_FALSE(snapshot.wants_summary);
  auto model = two_agents();
  EXPECT_EQ(watched.record(model.agent_added({"S1", "192.0.2.1"})).kind, MasterStep::Kind::event);
}

TEST(MasterState, AnErrorChangesNothing) {
  auto model = two_agents();
  Watched watched;
  watched.record(model.subscribed());
  const struct {
    const char* text;
    Errc errc;
  } bad[] = {
      {"", Errc::bad_json},
      {"{", Errc::bad_json},
      {R"({"type":"SUBSCRIBED","subscribed":{"get_state":{"get_tasks":{"tasks":[)", Errc::bad_json},
      {"[]", Errc::unexpected_shape},
      {"{}", Errc::unexpected_shape},
      {R"({"type":5})", Errc::unexpected_shape},
      {R"({"type":"SUBSCRIBED"})", Errc::unexpected_shape},
      {R"({"type":"SUBSCRIBED","subscribed":{"get_state":[]}})", Errc::unexpected_shape},
      {R"({"type":"SUBSCRIBED","subscribed":{"get_state":{"get_tasks":{"tasks":"x"}}}})",
       Errc::unexpected_shape},
      {R"({"type":"SUBSCRIBED","subscribed":{"get_state":{"get_agents":7}}})",
       Errc::unexpected_shape}};
  for (const auto& [text, errc] : bad) {
    const auto step = watched.state.on_record(text, kStart);
    ASSERT_FALSE(step) << text;
    EXPECT_EQ(step.error().code, errc) << text;
    EXPECT_EQ(watched.state.all().tasks_added, watched.rows.tasks()) << text;
  }
  for (const char* text : {"[]", "{}", R"({"slaves":5})", R"({"frameworks":"x"})", "5"}) {
    const auto step = watched.state.on_state(text, kStart);
    ASSERT_FALSE(step) << text;
    EXPECT_EQ(step.error().code, Errc::unexpected_shape) << text;
  }
  EXPECT_EQ(watched.state.on_state("{", kStart).error().code, Errc::bad_json);
  EXPECT_EQ(watched.state.next_tick(), std::nullopt);
  EXPECT_THAT(watched.tasks(), ElementsAre("web.1", "web.2"));
}

}  // namespace
}  // namespace viaduct::mesos
