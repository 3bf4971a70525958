// What DNS has to know of the tasks of an agent's answer.

#include "mesos/running_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/io/file.h"
#include "mesos/limits.h"
#include "tests/unit/mesos/task_builder.h"

namespace viaduct::mesos {
namespace {

using service::AddressSource;
using service::TaskRow;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TaskRow only_row(const Task& task) {
  const auto rows = rows_of({task});
  EXPECT_THAT(rows.tasks, SizeIs(1));
  return rows.tasks.empty() ? TaskRow{} : rows.tasks[0];
}

TEST(RunningTask, SaysWhatTheTaskIsAndWhereItRuns) {
  Task task = container_task();
  task.name = "web";
  task.agent_id = "a-S1";
  const TaskRow row = only_row(task);
  EXPECT_EQ(row.framework, "marathon");
  EXPECT_EQ(row.id, "web.1");
  EXPECT_EQ(row.name, "web");
  EXPECT_EQ(row.label(), "web");
  EXPECT_EQ(row.agent_id, "a-S1");
  EXPECT_THAT(row.agent, ElementsAre(kNode));
  EXPECT_THAT(row.addresses,
              ElementsAre(service::TaskAddress{AddressSource::netinfo, addr("198.51.100.5")},
                          service::TaskAddress{AddressSource::netinfo, addr("2001:db8::5")}));
  EXPECT_FALSE(row.host_port);
}

TEST(RunningTask, OnlyRunningTasksAreThere) {
  for (const TaskState state : {TaskState::preparing, TaskState::killing, TaskState::terminal}) {
    Task task = host_task();
    task.state = state;
    EXPECT_THAT(rows_of({task}).tasks, IsEmpty());
  }
  Task sick = host_task();
  sick.healthy = false;
  EXPECT_THAT(rows_of({sick}).tasks, SizeIs(1)) << "health does not matter";
}

TEST(RunningTask, KnowsWhetherAPortIsMappedToTheHosts) {
  Task mapped = container_task();
  mapped.mappings = {{31000, 80, "tcp", ""}};
  EXPECT_TRUE(only_row(mapped).host_port);
  mapped.mappings = {{0, 80, "tcp", ""}};
  EXPECT_FALSE(only_row(mapped).host_port);
  Task scoped = container_task();
  scoped.discovery_ports = {port(31000, {{"network-scope", "host"}})};
  EXPECT_TRUE(only_row(scoped).host_port);
  scoped.discovery_ports = {port(8080, {{"network-scope", "container"}})};
  EXPECT_FALSE(only_row(scoped).host_port);
  Task labelled = container_task();
  labelled.labels = {{"vip_port0", "tcp://1.2.3.4:80"}};
  EXPECT_FALSE(only_row(labelled).host_port) << "it has no host port";
  labelled.port_resources = {{31000, 31000}};
  EXPECT_TRUE(only_row(labelled).host_port);
}

TEST(RunningTask, HasItsHostPortsUpToTheLimit) {
  Task task = host_task();
  task.port_resources = {{31000, 31002}, {80, 80}};
  EXPECT_THAT(only_row(task).ports, ElementsAre(31000, 31001, 31002, 80));
  task.port_resources = {{1, 65535}};
  const auto rows = rows_of({task});
  EXPECT_THAT(rows.tasks[0].ports, SizeIs(service::kMaxTaskPorts));
  EXPECT_THAT(rejected(rows), ElementsAre("task web.1: only its first 128 host ports are in DNS"));
}

TEST(RunningTask, DiscoveryPortsCountWithADiscoveryNameOnly) {
  Task task = host_task();
  task.discovery_ports = {port(8080, {}), port(0, {}, "udp"), port(70000, {}), port(-1, {})};
  task.discovery_ports[0].name = "http";
  EXPECT_THAT(only_row(task).discovery_ports, IsEmpty());
  task.discovery = "shop.web";
  const auto rows = rows_of({task});
  EXPECT_EQ(rows.tasks[0].label(), "shop.web");
  EXPECT_THAT(rows.tasks[0].discovery_ports,
              ElementsAre(service::TaskPort{8080, "http", "tcp"}, service::TaskPort{0, "", "udp"}));
  EXPECT_THAT(
      rejected(rows),
      ElementsAre("task web.1, port 70000: is not in DNS: the number is not from 0 to 65535",
                  "task web.1, port -1: is not in DNS: the number is not from 0 to 65535"));
}

TEST(RunningTask, ABadTaskLosesItselfAlone) {
  Task bad = host_task("bad");
  bad.name = std::string(256, 'a');
  const auto rows = rows_of({bad, host_task("good")});
  EXPECT_THAT(rows.tasks, SizeIs(1));
  EXPECT_THAT(rejected(rows),
              ElementsAre("task bad: is not in DNS: its name has 256 octets; at most 255 are "
                          "allowed"));
}

TEST(RunningTask, AnAddressThatNobodyReachesIsNone) {
  Task task = host_task();
  task.addresses = {{addr("127.0.0.1"), ""}, {addr("198.51.100.5"), ""}, {addr("fe80::1"), ""}};
  EXPECT_THAT(only_row(task).addresses,
              ElementsAre(service::TaskAddress{AddressSource::netinfo, addr("198.51.100.5")}));
}

std::string answer(const std::string& statuses, const std::string& discovery = "{}") {
  return R"({"type":"GET_STATE","get_state":{"get_tasks":{"launched_tasks":[{"task_id":{"value":"web.1"},)"
         R"("framework_id":{"value":"f1"},"name":"web","state":"TASK_RUNNING","statuses":[)" +
         statuses + R"(],"discovery":)" + discovery +
         R"(}]},"get_frameworks":{"frameworks":[{"framework_info":{"id":{"value":"f1"},"name":"marathon"}}]}}})";
}

TEST(RunningTask, ContainerizersSayAddressesByLabels) {
  const std::string older =
      R"({"timestamp":1.0,"labels":{"labels":[{"key":"Docker.NetworkSettings.IPAddress","value":"198.51.100.1"}]}})";
  const std::string newer =
      R"({"timestamp":2.0,"labels":{"labels":[{"key":"x","value":5},)"
      R"({"key":"MesosContainerizer.NetworkSettings.IPAddress","value":"198.51.100.2"},)"
      R"({"key":"Docker.NetworkSettings.IPAddress","value":"nonsense"}]}})";
  const auto rows = make_rows(parse_agent_state(answer(older + "," + newer)).value(), kNode);
  ASSERT_THAT(rows.tasks, SizeIs(1));
  EXPECT_THAT(rows.tasks[0].addresses,
              ElementsAre(service::TaskAddress{AddressSource::mesos, addr("198.51.100.2")}));
}

TEST(RunningTask, OldMesosHasOneAddressANetwork) {
  const auto rows = make_rows(
      parse_agent_state(
          answer(
              R"({"timestamp":1.0,"container_status":{"network_infos":[{"ip_address":"198.51.100.9"}]}})",
              R"({"name":"shop","ports":{"ports":[{"number":80,"name":"http","protocol":"tcp"}]}})"))
          .value(),
      kNode);
  ASSERT_THAT(rows.tasks, SizeIs(1));
  EXPECT_THAT(rows.tasks[0].addresses,
              ElementsAre(service::TaskAddress{AddressSource::netinfo, addr("198.51.100.9")}));
  EXPECT_EQ(rows.tasks[0].discovery, "shop");
  EXPECT_THAT(rows.tasks[0].discovery_ports, ElementsAre(service::TaskPort{80, "http", "tcp"}));
}

TEST(RunningTask, OfARecordedAgentAllTasksAreThere) {
  const std::string text =
      base::read_file(std::string(VIADUCT_TEST_DATA) + "/mesos/host-with-ipv6.GET_STATE.json",
                      1 << 20)
          .value();
  const auto rows = make_rows(parse_agent_state(text).value(), addr("10.77.0.21"));
  std::vector<std::string> found;
  for (const TaskRow& row : rows.tasks)
    found.push_back(row.framework + " " + row.id + " " + row.label() + " " +
                    row.addresses.at(0).address.to_string() + (row.host_port ? " host" : ""));
  EXPECT_THAT(found,
              testing::IsSupersetOf({"marathon web.1 web 10.77.0.21", "marathon c.1 c 10.78.1.2"}));
  EXPECT_THAT(rows.rejected, IsEmpty());
}

}  // namespace
}  // namespace viaduct::mesos
