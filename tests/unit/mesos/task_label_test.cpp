#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/mesos/task_builder.h"

namespace viaduct::mesos {
namespace {

using service::PickRule;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Task labelled(std::vector<Label> labels) {
  Task task = host_task();
  task.port_resources = {{31000, 31001}, {32000, 32000}};
  task.labels = std::move(labels);
  return task;
}

TEST(TaskLabels, TheIndexCountsThroughAllRanges) {
  EXPECT_THAT(lines(rows_of({labelled({{"vip_port0", "tcp://1.2.3.4:5000"}})})),
              ElementsAre("tcp <1.2.3.4>:5000 192.0.2.21:31000 w1"));
  EXPECT_THAT(lines(rows_of({labelled({{"vip_port1", "udp:///web:53"}})})),
              ElementsAre("udp web.marathon:53 192.0.2.21:31001 w1"));
  EXPECT_THAT(lines(rows_of({labelled({{"vip_port2", "tcp://web:80"}})})),
              ElementsAre("tcp web.marathon:80 192.0.2.21:32000 w1"));
}

TEST(TaskLabels, TheKeyIsReadInAnyCase) {
  EXPECT_THAT(lines(rows_of({labelled({{"VIP_Port0", "tcp://web:80"}})})),
              ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w1"));
}

TEST(TaskLabels, AreServedOnTheHostPortAlsoInAContainer) {
  Task task = labelled({{"vip_port0", "tcp://web:80"}});
  task.addresses = {{addr("198.51.100.5"), "bridge"}};
  task.mappings = {{31000, 8080, "tcp", "bridge"}};
  EXPECT_THAT(lines(rows_of({task})), ElementsAre("tcp web.marathon:80 192.0.2.21:31000 w1"));
}

TEST(TaskLabels, WhatCannotBeUsedIsRejectedAndTheOthersStay) {
  const auto rows = rows_of({labelled({{"vip_port3", "tcp://a:80"},
                                       {"vip_port99999999999", "tcp://a:80"},
                                       {"vip_port-1", "tcp://a:80"},
                                       {"vip_port", "tcp://a:80"},
                                       {"vip_portal", "tcp://a:80"},
                                       {"vip_port0", "a:80"},
                                       {"vip_port0", "sctp://a:80"},
                                       {"vip_port0", "tcp://a"},
                                       {"vip_port0", "tcp://b:80"}})});
  EXPECT_THAT(lines(rows), ElementsAre("tcp b.marathon:80 192.0.2.21:31000 w1"));
  EXPECT_THAT(
      rejected(rows),
      ElementsAre(
          "task web.1, label vip_port3: the task has no port of that index",
          "task web.1, label vip_port99999999999: what follows vip_port is not an index 0..99999",
          "task web.1, label vip_port-1: what follows vip_port is not an index 0..99999",
          "task web.1, label vip_port: what follows vip_port is not an index 0..99999",
          "task web.1, label vip_portal: what follows vip_port is not an index 0..99999",
          "task web.1, label vip_port0: \"a:80\" does not begin with tcp:// or udp://",
          "task web.1, label vip_port0: \"sctp://a:80\" does not begin with tcp:// or udp://",
          HasSubstr("task web.1, label vip_port0: \"a\"")));
}

TEST(TaskLabels, AVipDeclaredTwiceIsOneRow) {
  Task task = labelled({{"vip_port0", "tcp://web:80"}});
  task.discovery_ports = {port(31000, {{"VIP_0", "/web:80"}})};
  EXPECT_EQ(rows_of({task}).rows.size(), 1u);
}

TEST(PickLabel, OnTheTaskHoldsForAllItsVipsAndOnThePortWins) {
  Task task = labelled({{"VIADUCT_LB", "maglev"}, {"vip_port0", "tcp://a:80"}});
  task.discovery_ports = {port(31000, {{"VIP_0", "/b:80"}}),
                          port(31001, {{"VIADUCT_LB", "random"}, {"VIP_0", "/c:80"}})};
  const auto rows = rows_of({task}).rows;
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].policy.pick, PickRule::maglev);
  EXPECT_EQ(rows[1].policy.pick, PickRule::maglev);
  EXPECT_EQ(rows[2].policy.pick, PickRule::random);
}

TEST(PickLabel, AWrongValueIsRejectedOnceAndTheDefaultStays) {
  Task task = labelled({{"VIADUCT_LB", "fastest"}});
  task.discovery_ports = {port(31000, {{"VIP_0", "/b:80"}}),
                          port(31001, {{"VIADUCT_LB", ""}, {"VIP_0", "/c:80"}})};
  const auto rows = rows_of({task});
  ASSERT_EQ(rows.rows.size(), 2u);
  EXPECT_EQ(rows.rows[0].policy.pick, PickRule::automatic);
  EXPECT_EQ(rows.rows[1].policy.pick, PickRule::automatic);
  EXPECT_THAT(
      rejected(rows),
      ElementsAre(HasSubstr("task web.1, label VIADUCT_LB: \"fastest\" is not one of"),
                  HasSubstr("task web.1, port 31001, label VIADUCT_LB: \"\" is not one of")));
}

TEST(AffinityLabel, OfAPortWinsOverTheTasks) {
  Task task = labelled({{"VIADUCT_AFFINITY", "client:60"}});
  task.discovery_ports = {port(31000, {{"VIP_0", "/b:80"}}),
                          port(31001, {{"VIADUCT_AFFINITY", "namespace"}, {"VIP_0", "/c:80"}}),
                          port(31002, {{"VIADUCT_AFFINITY", "client:0"}, {"VIP_0", "/d:80"}})};
  const auto rows = rows_of({task});
  ASSERT_EQ(rows.rows.size(), 3u);
  EXPECT_EQ(rows.rows[0].policy.affinity.to_string(), "client:60");
  EXPECT_EQ(rows.rows[1].policy.affinity.to_string(), "namespace:10800");
  EXPECT_EQ(rows.rows[2].policy.affinity.to_string(), "client:60");
  EXPECT_THAT(rejected(rows),
              ElementsAre(HasSubstr("label VIADUCT_AFFINITY: \"client:0\" is not none")));
}

}  // namespace
}  // namespace viaduct::mesos
