#include "mesos/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/quote.h"
#include "mesos/errors.h"
#include "mesos/rejections.h"
#include "tests/unit/mesos/task_builder.h"

namespace viaduct::mesos {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string repeated(std::size_t times, const std::string& element) {
  std::string out;
  for (std::size_t i = 0; i < times; i++) out += (i == 0 ? "" : ",") + element;
  return out;
}

std::string answer(const std::string& tasks) {
  return R"({"get_state":{"get_tasks":{"launched_tasks":[)" + tasks + "]}}}";
}

std::string task(const std::string& id, const std::string& more) {
  return R"({"task_id":{"value":")" + id +
         R"("},"framework_id":{"value":"f1"},"state":"TASK_RUNNING")" + more + "}";
}

AgentState one_task(const std::string& more) {
  return parse_agent_state(answer(task("t", "," + more))).value();
}

TEST(MesosLimits, NestingBeyondTheLimitIsAnError) {
  const std::string text =
      std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']');
  EXPECT_EQ(parse_agent_state(text).error().code, Errc::bad_json);
}

TEST(MesosLimits, ADecodedAnswerMayTakeOnlySoMuchMemory) {
  EXPECT_TRUE(
      parse_agent_state(R"({"get_state":{"get_tasks":{}},"x":[)" + repeated(1000, "{}") + "]}"));
  const std::string text =
      R"({"get_state":{"get_tasks":{}},"x":[)" + repeated(1'000'000, "0") + "]}";
  const auto state = parse_agent_state(text);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message(),
            "it decodes to too much memory: the answer is not usable JSON");
}

TEST(MesosLimits, TasksBeyondTheLimitAreRejectedTogether) {
  std::string tasks;
  for (std::size_t i = 0; i < kMaxTasks + 5; i++)
    tasks += (i == 0 ? "" : ",") + task(std::to_string(i), "");
  const AgentState state = parse_agent_state(answer(tasks)).value();
  EXPECT_THAT(state.tasks, SizeIs(kMaxTasks));
  ASSERT_THAT(state.rejected, SizeIs(1));
  EXPECT_THAT(state.rejected[0].reason, HasSubstr("only 8192 are read"));
}

TEST(MesosLimits, PortsBeyondTheLimitAreRejectedTogether) {
  const AgentState state = one_task(R"("discovery":{"ports":{"ports":[)" +
                                    repeated(kMaxPortsPerTask + 1, R"({"number":80})") + "]}}");
  EXPECT_THAT(state.tasks[0].discovery_ports, SizeIs(kMaxPortsPerTask));
  EXPECT_THAT(state.rejected, SizeIs(1));
}

TEST(MesosLimits, LabelsBeyondTheLimitAreRejectedTogetherAndOthersDoNotCount) {
  const std::string others = repeated(1000, R"({"key":"other","value":"x"})");
  const AgentState state = one_task(
      R"("discovery":{"ports":{"ports":[{"number":80,"labels":{"labels":[)" + others + "," +
      repeated(kMaxLabelsPerPort + 3, R"({"key":"VIP_0","value":"/a:80"})") + "]}}]}}");
  EXPECT_THAT(state.tasks[0].discovery_ports[0].labels, SizeIs(kMaxLabelsPerPort));
  ASSERT_THAT(state.rejected, SizeIs(1));
  EXPECT_EQ(state.rejected[0].where, "task t, port 80, label VIP_0");
}

TEST(MesosLimits, AddressesBeyondTheLimitAreRejected) {
  const AgentState state =
      one_task(R"("statuses":[{"container_status":{"network_infos":[{"ip_addresses":[)" +
               repeated(kMaxAddressesPerTask + 1, R"({"ip_address":"198.51.100.2"})") + "]}]}}]");
  EXPECT_THAT(state.tasks[0].addresses, SizeIs(kMaxAddressesPerTask));
  EXPECT_THAT(state.rejected, SizeIs(1));
}

TEST(MesosLimits, OnlyTheLastStatusesAreRead) {
  const AgentState state = one_task(R"("statuses":[{"healthy":"x"},)" +
                                    repeated(kMaxStatusesPerTask, R"({"healthy":true})") + "]");
  EXPECT_EQ(state.tasks[0].healthy, true);
  EXPECT_THAT(state.rejected, SizeIs(0));
}

TEST(MesosLimits, ATextBeyondTheLimitIsRejected) {
  const std::string longer(kMaxTextBytes + 1, 'x');
  const AgentState state =
      parse_agent_state(answer(task(longer, "") + "," + task("t", ""))).value();
  EXPECT_THAT(state.tasks, SizeIs(1));
  ASSERT_FALSE(state.rejected.empty());
  EXPECT_EQ(state.rejected[0].reason, "value has 1025 bytes; at most 1024 are allowed");
  const AgentState port =
      one_task(R"("discovery":{"ports":{"ports":[{"number":80,"labels":{"labels":[{"key":"VIP_0",)"
               R"("value":")" +
               longer + R"("}]}}]}})");
  EXPECT_EQ(port.rejected.at(0).where, "task t, port 80, label VIP_0");
}

TEST(MesosLimits, ManyRejectionsAreCountedAndNotAllKept) {
  Rejections rejections;
  for (std::size_t i = 0; i < kMaxRejected + 7; i++) rejections.add("a", "b");
  const auto rows = rejections.take();
  EXPECT_THAT(rows, SizeIs(kMaxRejected + 1));
  EXPECT_EQ(rows.back().reason, "7 more could not be used");
  EXPECT_THAT(rejections.take(), SizeIs(0));
}

TEST(MesosLimits, QuotedTextIsCutAndHasNoControlCharacters) {
  EXPECT_EQ(base::in_quotes("a\nb\x7f"), "\"a?b?\"");
  EXPECT_EQ(base::in_quotes(std::string(200, 'x')), "\"" + std::string(80, 'x') + "...\"");
  EXPECT_EQ(label_place("task a", "VIP\t0"), "task a, label VIP?0");
}

}  // namespace
}  // namespace viaduct::mesos
