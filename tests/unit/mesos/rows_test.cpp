#include "mesos/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/mesos/task_builder.h"

namespace viaduct::mesos {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

Task with_port(Task task, DiscoveryPort one) {
  task.discovery_ports.push_back(std::move(one));
  return task;
}

TEST(MesosRows, ATaskOnTheHostsNetworkIsServedAtTheNodesAddress) {
  const auto rows = rows_of({with_port(host_task(), port(31000, {{"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w1"));
  EXPECT_EQ(rows.rows[0].task, "web.1");
  EXPECT_THAT(rows.rejected, IsEmpty());
}

TEST(MesosRows, AHostTaskThatAlsoReportsTheHostsIpv6AddressStillHasOneBackend) {
  Task task = with_port(host_task(), port(31000, {{"VIP_0", "/web:80"}}));
  task.addresses.push_back({addr("2001:db8::21"), ""});
  EXPECT_THAT(lines(rows_of({task})), ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w1"));
}

TEST(MesosRows, AnIpv6VipOfAHostTaskGetsTheHostsIpv6Address) {
  Task task = with_port(host_task(), port(31000, {{"VIP_0", "fd01:c::5:80"}}));
  task.addresses.push_back({addr("2001:db8::21"), ""});
  EXPECT_THAT(lines(rows_of({task})), ElementsAre("tcp <fd01:c::5>:80 [2001:db8::21]:31000 w1"));
}

TEST(MesosRows, AContainerIsServedAtEachOfItsAddressesUnderANamedVip) {
  const auto rows = rows_of({with_port(
      container_task(), port(8080, {{"network-scope", "container"}, {"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), UnorderedElementsAre("tcp web.marathon:80 198.51.100.5:8080 w1",
                                                "tcp web.marathon:80 [2001:db8::5]:8080 w1"));
}

TEST(MesosRows, AContainerWithoutScopeAndMappingIsServedAtItsOwnAddresses) {
  const auto rows = rows_of({with_port(container_task(), port(8080, {{"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), UnorderedElementsAre("tcp web.marathon:80 198.51.100.5:8080 w1",
                                                "tcp web.marathon:80 [2001:db8::5]:8080 w1"));
}

TEST(MesosRows, AnAddressVipTakesOnlyBackendsOfItsFamily) {
  const auto rows = rows_of(
      {with_port(container_task(),
                 port(8080, {{"VIP_0", "203.0.113.7:5000"}, {"VIP_1", "[fd01:c::5]:5000"}}))});
  EXPECT_THAT(lines(rows), UnorderedElementsAre("tcp <203.0.113.7>:5000 198.51.100.5:8080 w1",
                                                "tcp <fd01:c::5>:5000 [2001:db8::5]:8080 w1"));
  EXPECT_THAT(rows.rejected, IsEmpty());
}

TEST(MesosRows, AnIpv6VipOfABridgedTaskIsRejectedInsteadOfGettingAnIpv4Backend) {
  Task task = container_task();
  task.mappings = {{31005, 8080, "tcp", ""}};
  const auto rows =
      rows_of({with_port(task, port(8080, {{"VIP_0", "fd01:c::5:80"}, {"VIP_1", "/web:80"}}))});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 192.0.2.21:31005 w1"));
  EXPECT_THAT(
      rejected(rows),
      ElementsAre(
          "task web.1, port 8080, label VIP_0: the backend 192.0.2.21 is of another address family "
          "than the VIP"));
}

TEST(MesosRows, APortMappingPutsTheBackendOnTheNodesHostPort) {
  Task task = container_task();
  task.mappings = {
      {31005, 9090, "tcp", "dcos"}, {31006, 8080, "udp", "dcos"}, {31007, 8080, "TCP", "dcos"}};
  const auto rows = rows_of({with_port(task, port(8080, {{"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 192.0.2.21:31007 w1"));
}

TEST(MesosRows, TheContainerScopeWinsOverAPortMapping) {
  Task task = container_task();
  task.addresses.pop_back();
  task.mappings = {{31007, 8080, "tcp", "dcos"}};
  const auto rows = rows_of(
      {with_port(task, port(8080, {{"network-scope", "container"}, {"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 198.51.100.5:8080 w1"));
}

TEST(MesosRows, TheHostScopeMakesTheNumberAHostPort) {
  Task task = container_task();
  task.mappings = {{31007, 8080, "tcp", "dcos"}};
  const auto rows =
      rows_of({with_port(task, port(31007, {{"network-scope", "host"}, {"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 192.0.2.21:31007 w1"));
}

TEST(MesosRows, AMappingWithoutHostPortLeavesTheContainersAddresses) {
  Task task = container_task();
  task.addresses.pop_back();
  task.mappings = {{0, 8080, "tcp", "dcos"}};
  const auto rows = rows_of({with_port(task, port(8080, {{"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 198.51.100.5:8080 w1"));
  EXPECT_THAT(rows.port_mappings, IsEmpty());
  EXPECT_THAT(rows.rejected, IsEmpty());
}

TEST(MesosRows, TheNetworkNameRestrictsTheAddresses) {
  Task task = container_task();
  task.addresses.push_back({addr("203.0.113.9"), "bridge"});
  const auto on = [&](std::string network) {
    return rows_of({with_port(task, port(8080, {{"network-scope", "container"},
                                                {"network-name", network},
                                                {"VIP_0", "/web:80"}}))});
  };
  EXPECT_THAT(lines(on("bridge")), ElementsAre("tcp web.marathon:80 203.0.113.9:8080 w1"));
  EXPECT_THAT(lines(on("dcos")).size(), 2u);
  EXPECT_THAT(
      rejected(on("other")),
      ElementsAre(
          "task web.1, port 8080, label VIP_0: the task has no address on network \"other\""));
}

TEST(MesosRows, AMappingOfAnotherNetworkThanTheNamedOneDoesNotCount) {
  Task task = container_task();
  task.addresses = {{addr("198.51.100.5"), "dcos"}, {addr("203.0.113.9"), "bridge"}};
  task.mappings = {{31007, 8080, "tcp", "bridge"}};
  const auto rows =
      rows_of({with_port(task, port(8080, {{"network-name", "dcos"}, {"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 198.51.100.5:8080 w1"));
}

TEST(MesosRows, AnUnknownOrContradictoryScopeCostsThatPortAlone) {
  Task task = container_task();
  task.addresses.pop_back();
  task.discovery_ports = {
      port(1000, {{"network-scope", "cluster"}, {"VIP_0", "/a:80"}}),
      port(1001, {{"network-scope", "host"}, {"network-scope", "container"}, {"VIP_0", "/b:80"}}),
      port(1002, {{"network-scope", "host"}, {"network-scope", "host"}, {"VIP_0", "/c:80"}})};
  const auto rows = rows_of({task});
  EXPECT_THAT(lines(rows), ElementsAre("tcp c.marathon:80 192.0.2.21:1002 w1"));
  EXPECT_THAT(
      rejected(rows),
      ElementsAre("task web.1, port 1000: network-scope is \"cluster\", not host or container",
                  "task web.1, port 1001: network-scope says both host and container"));
}

TEST(MesosRows, SeveralVipLabelsOnAPortAllCount) {
  const auto rows = rows_of({with_port(
      host_task(),
      port(9999,
           {{"VIP_0", "/abc:80"}, {"VIP", "/cbd:80"}, {"vip_12", "def:80"}, {"VIPx", "jkl:81"}}))});
  EXPECT_THAT(lines(rows), UnorderedElementsAre("tcp abc.marathon:80 192.0.2.21:9999 w1",
                                                "tcp cbd.marathon:80 192.0.2.21:9999 w1",
                                                "tcp def.marathon:80 192.0.2.21:9999 w1",
                                                "tcp jkl.marathon:81 192.0.2.21:9999 w1"));
}

TEST(MesosRows, OnlyKeysThatBeginWithVipInOneCaseDeclareAVip) {
  EXPECT_TRUE(is_vip_label("VIP_0"));
  EXPECT_TRUE(is_vip_label("vip"));
  EXPECT_FALSE(is_vip_label("Vip_0"));
  EXPECT_FALSE(is_vip_label("MY_VIP_0"));
  EXPECT_THAT(lines(rows_of({with_port(host_task(), port(9999, {{"Vip_0", "/abc:80"}}))})),
              IsEmpty());
}

TEST(MesosRows, TheSameLabelOnTcpAndUdpGivesTwoServices) {
  Task task = host_task();
  task.discovery_ports = {port(6416, {{"VIP_0", "/app:80"}}, "tcp"),
                          port(6416, {{"VIP_0", "/app:80"}}, "UDP")};
  EXPECT_THAT(lines(rows_of({task})), ElementsAre("tcp app.marathon:80 192.0.2.21:6416 w1",
                                                  "udp app.marathon:80 192.0.2.21:6416 w1"));
}

TEST(MesosRows, AnotherProtocolIsRejectedOnlyWhereAVipAsksForIt) {
  Task task = host_task();
  task.discovery_ports = {port(1, {{"VIP_0", "/a:80"}}, "sctp"), port(2, {}, "sctp"),
                          port(3, {{"VIP_0", "/b:80"}}, "")};
  EXPECT_THAT(rejected(rows_of({task})),
              ElementsAre("task web.1, port 1: protocol \"sctp\" is neither tcp nor udp",
                          "task web.1, port 3: protocol \"\" is neither tcp nor udp"));
}

TEST(MesosRows, APortOutOfRangeIsRejectedAndTheOthersStay) {
  Task task = host_task();
  task.discovery_ports = {port(0, {{"VIP_0", "/a:80"}}), port(70000, {{"VIP_0", "/b:80"}}),
                          port(-1, {{"VIP_0", "/c:80"}}), port(31000, {{"VIP_0", "/d:80"}})};
  const auto rows = rows_of({task});
  EXPECT_THAT(lines(rows), ElementsAre("tcp d.marathon:80 192.0.2.21:31000 w1"));
  EXPECT_THAT(rejected(rows),
              ElementsAre("task web.1, port 0: the port number is not from 1 to 65535",
                          "task web.1, port 70000: the port number is not from 1 to 65535",
                          "task web.1, port -1: the port number is not from 1 to 65535"));
}

TEST(MesosRows, TheFrameworksRegisteredNameIsPartOfTheVip) {
  Task task = with_port(host_task(), port(9092, {{"VIP_0", "broker:9092"}}));
  task.framework_id = "f2";
  EXPECT_THAT(lines(rows_of({task})), ElementsAre("tcp broker.devkafka:9092 192.0.2.21:9092 w1"));
}

TEST(MesosRows, ATaskOfAnUnknownFrameworkIsRejectedAndNoOther) {
  Task stray = with_port(host_task("stray"), port(1000, {{"VIP_0", "/a:80"}}));
  stray.framework_id = "f9";
  const auto rows = rows_of({stray, with_port(host_task(), port(31000, {{"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w1"));
  EXPECT_THAT(rejected(rows), ElementsAre("task stray: its framework \"f9\" is not in the answer"));
}

TEST(MesosRows, TasksOfTwoFrameworksMayHaveOneId) {
  Task first = with_port(host_task("0"), port(1000, {{"VIP_0", "/a:80"}}));
  Task second = with_port(host_task("0"), port(1001, {{"VIP_0", "/a:80"}}));
  second.framework_id = "f2";
  EXPECT_THAT(lines(rows_of({first, second})),
              UnorderedElementsAre("tcp a.marathon:80 192.0.2.21:1000 w1",
                                   "tcp a.devkafka:80 192.0.2.21:1001 w1"));
}

TEST(MesosRows, ARunningTaskWithoutAddressIsRejectedAndNothingElseIsLost) {
  Task silent = with_port(host_task("silent"), port(1000, {{"VIP_0", "/web:80"}}));
  silent.addresses.clear();
  const auto rows = rows_of({silent, with_port(host_task(), port(31000, {{"VIP_0", "/web:80"}}))});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w1"));
  EXPECT_THAT(rejected(rows),
              ElementsAre("task silent, port 1000, label VIP_0: the task reports no address"));
}

TEST(MesosRows, ATaskWithoutAddressIsStillServedOnHostPorts) {
  Task silent =
      with_port(host_task(), port(31000, {{"network-scope", "host"}, {"VIP_0", "/web:80"}}));
  silent.addresses.clear();
  EXPECT_THAT(lines(rows_of({silent})), ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w1"));
}

TEST(MesosRows, AnAddressThatNoOtherHostCanReachIsNoBackend) {
  for (const char* text :
       {"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.1.1", "::1", "fe80::1"}) {
    Task task = with_port(host_task(), port(1000, {{"VIP_0", "/web:80"}}));
    task.addresses = {{addr(text), ""}};
    const auto rows = rows_of({task});
    EXPECT_THAT(rows.rows, IsEmpty()) << text;
    EXPECT_EQ(rows.rejected.size(), 1u) << text;
  }
}

TEST(MesosRows, AVipThatIsItsOwnBackendIsRejected) {
  const auto rows = rows_of({with_port(host_task(), port(80, {{"VIP_0", "192.0.2.21:80"}}))});
  EXPECT_THAT(rejected(rows),
              ElementsAre("task web.1, port 80, label VIP_0: the VIP is its own backend"));
}

TEST(MesosRows, StateAndHealthGiveTheWeight) {
  const auto weight = [](TaskState state, bool has_check, std::optional<bool> healthy) {
    Task task = host_task();
    task.state = state;
    task.has_health_check = has_check;
    task.healthy = healthy;
    return task_weight(task);
  };
  EXPECT_EQ(weight(TaskState::running, false, std::nullopt), 1);
  EXPECT_EQ(weight(TaskState::running, false, true), 1);
  EXPECT_EQ(weight(TaskState::running, true, true), 1);
  EXPECT_EQ(weight(TaskState::running, true, std::nullopt), 0);
  EXPECT_EQ(weight(TaskState::running, true, false), 0);
  EXPECT_EQ(weight(TaskState::running, false, false), 0);
  EXPECT_EQ(weight(TaskState::killing, false, std::nullopt), 0);
  EXPECT_EQ(weight(TaskState::killing, true, true), 0);
}

TEST(MesosRows, OnlyRunningAndEndingTasksArePublished) {
  for (const TaskState state : {TaskState::preparing, TaskState::terminal}) {
    Task task = with_port(host_task(), port(31000, {{"VIP_0", "/web:80"}, {"VIP_1", "nonsense"}}));
    task.state = state;
    EXPECT_THAT(rows_of({task}).rows, IsEmpty());
    EXPECT_THAT(rows_of({task}).rejected, IsEmpty());
  }
  Task killing = with_port(host_task(), port(31000, {{"VIP_0", "/web:80"}}));
  killing.state = TaskState::killing;
  EXPECT_THAT(lines(rows_of({killing})), ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w0"));
}

TEST(MesosRows, EqualBackendsArePublishedOnceWithTheLargerWeight) {
  Task ending =
      with_port(host_task("old"), port(31000, {{"VIP_0", "/web:80"}, {"VIP_1", "web:80"}}));
  ending.state = TaskState::killing;
  const Task running = with_port(host_task("new"), port(31000, {{"VIP_0", "/Web:80"}}));
  for (const auto& rows : {rows_of({ending, running}), rows_of({running, ending})}) {
    EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w1"));
    EXPECT_EQ(rows.rows[0].task, "new");
  }
}

TEST(MesosRows, HostPortsThatLeadIntoContainersAreListedButNotDockers) {
  Task task = container_task();
  task.mappings = {{31007, 8080, "tcp", "dcos"}, {31008, 53, "udp", ""}};
  EXPECT_THAT(rows_of({task}).port_mappings,
              UnorderedElementsAre(
                  service::PortMapping{base::Protocol::tcp, 31007, endpoint("198.51.100.5:8080")},
                  service::PortMapping{base::Protocol::udp, 31008, endpoint("198.51.100.5:53")}));
  task.is_docker = true;
  EXPECT_THAT(rows_of({task}).port_mappings, IsEmpty());
}

TEST(MesosRows, APortMappingOutOfRangeIsRejected) {
  Task task = container_task();
  task.mappings = {{70000, 8080, "tcp", "dcos"}, {31008, 53, "udp", ""}};
  const auto rows = rows_of({task});
  EXPECT_EQ(rows.port_mappings.size(), 1u);
  EXPECT_THAT(rejected(rows), ElementsAre(AllOf(StartsWith("task web.1: "), HasSubstr("70000"))));
}

TEST(MesosRows, AWrongLabelNamesItsPlaceAndCostsNothingElse) {
  Task task = with_port(host_task(), port(31000, {{"VIP_0", "/web"},
                                                  {"VIP_1", "/:80"},
                                                  {"VIP_2", "/web:0"},
                                                  {"VIP_3", "/web:70000"},
                                                  {"VIP_4", "127.0.0.1:80"},
                                                  {"VIP_5", "0.0.0.0:80"},
                                                  {"VIP_6", ""},
                                                  {"VIP_7", "/web:80"}}));
  const auto rows = rows_of({task});
  EXPECT_THAT(lines(rows), ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w1"));
  ASSERT_EQ(rows.rejected.size(), 7u);
  for (std::size_t i = 0; i < 7; i++) {
    EXPECT_EQ(rows.rejected[i].where, "task web.1, port 31000, label VIP_" + std::to_string(i));
    EXPECT_FALSE(rows.rejected[i].reason.empty());
  }
}

// Values of facts on dcos-net, 1.9, by what Viaduct makes of them.
TEST(MesosRows, LabelValuesFollowTheTableOfVectors) {
  const auto vip = [](std::string value) {
    const auto rows = rows_of({with_port(container_task(), port(31000, {{"VIP_0", value}}))});
    if (rows.rows.empty()) return std::string("error");
    const std::string text = line(rows.rows[0]);
    return text.substr(4, text.find(' ', 4) - 4);
  };
  EXPECT_EQ(vip("/app:80"), "app.marathon:80");
  EXPECT_EQ(vip("app:80"), "app.marathon:80");
  EXPECT_EQ(vip("1.2.3.4:5000"), "<1.2.3.4>:5000");
  EXPECT_EQ(vip("fd01:c::5:80"), "<fd01:c::5>:80");
  EXPECT_EQ(vip("[fd01:c::5]:80"), "<fd01:c::5>:80");
  EXPECT_EQ(vip("/app:080"), "app.marathon:80");
  EXPECT_EQ(vip("/App_Name.-x-:80"), "app-name.x.marathon:80");
  EXPECT_EQ(vip("/-a:80"), "a.marathon:80");
  EXPECT_EQ(vip("/h\xc3\xa9llo:80"), "hllo.marathon:80");
  EXPECT_EQ(vip(std::string(70, 'a') + ":80"), std::string(63, 'a') + ".marathon:80");
  for (const char* wrong : {"0.0.0.0:1",
                            "255.255.255.255:1",
                            "::1:80",
                            "fe80::1%eth0:80",
                            "::ffff:1.2.3.4:80",
                            "01.2.3.4:5000",
                            "1.2.3:80",
                            "300.1.1.1:80",
                            "1.2.3.4.:80",
                            "fd01:c::5",
                            "/a:b:80",
                            "/app:+80",
                            "/app:0",
                            "/app:-1",
                            "/app",
                            "",
                            "/app: 80",
                            "app:80 ",
                            "/app:80/",
                            "app:8_0",
                            "app:16#50",
                            "/app:70000",
                            "/:80",
                            ":80"})
    EXPECT_EQ(vip(wrong), "error") << wrong;
}

}  // namespace
}  // namespace viaduct::mesos
