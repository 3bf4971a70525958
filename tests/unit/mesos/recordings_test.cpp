// Answers that a real Mesos agent gave, through to the rows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/io/file.h"
#include "tests/unit/mesos/task_builder.h"

namespace viaduct::mesos {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string recorded(const std::string& name) {
  return base::read_file(std::string(VIADUCT_TEST_DATA) + "/mesos/" + name, 1 << 20).value();
}

service::SourceRows rows_of_recording(const std::string& name) {
  return make_rows(parse_agent_state(recorded(name)).value(), addr("10.77.0.21"));
}

TEST(Recordings, HostNetworkTasksOfTwoFrameworks) {
  const auto rows = rows_of_recording("host-network.GET_STATE.json");
  EXPECT_THAT(lines(rows),
              UnorderedElementsAre("tcp web.mesos-executeinstance:80 10.77.0.21:20001 w1",
                                   "tcp <1.2.3.4>:5000 10.77.0.21:20002 w1"));
  EXPECT_THAT(rows.rejected, IsEmpty());
}

TEST(Recordings, ContainersOnCniNetworks) {
  const auto rows = rows_of_recording("container-networks.GET_STATE.json");
  EXPECT_THAT(
      lines(rows),
      UnorderedElementsAre(
          "tcp c.marathon:80 10.78.1.5:8080 w1", "tcp c.marathon:80 [fd78:1::5]:8080 w1",
          "tcp hostni.marathon:80 10.77.0.21:20031 w1",
          "tcp hostni.marathon:80 10.77.0.21:20032 w1", "tcp pm.marathon:80 10.77.0.21:31001 w1",
          "tcp pm2.marathon:80 10.77.0.21:31002 w1", "tcp pm3.marathon:80 10.79.1.4:8080 w1",
          "tcp <1.2.3.4>:5000 10.78.1.3:5000 w1", "tcp <fd01:c::1>:5000 [fd78:1::3]:5000 w1"));
  EXPECT_THAT(rows.rejected, IsEmpty());
  EXPECT_THAT(rows.port_mappings, Contains(service::PortMapping{base::Protocol::tcp, 31002,
                                                                endpoint("10.79.1.3:8080")}));
}

TEST(Recordings, AHostWithIpv6AndAHostNameThatDoesNotResolve) {
  EXPECT_THAT(lines(rows_of_recording("host-with-ipv6.GET_STATE.json")),
              UnorderedElementsAre("tcp web.marathon:80 10.77.0.21:20001 w1",
                                   "tcp p.marathon:80 10.77.0.21:20003 w1",
                                   "tcp c.marathon:80 10.78.1.2:8080 w1",
                                   "tcp c.marathon:80 [fd78:1::2]:8080 w1"));
  const AgentInfo info = parse_agent_info(recorded("host-with-ipv6.GET_AGENT.json")).value();
  EXPECT_EQ(info.hostname, "agent-one.example");
  EXPECT_EQ(info.id, "33899f47-212f-4610-bdd7-ecdba22358a6-S0");
}

TEST(Recordings, WithAByteLostGiveAnAnswerOrAnError) {
  constexpr std::size_t kStride = 5;  // coprime to the lengths that repeat in the answer
  const std::string whole = recorded("host-with-ipv6.GET_STATE.json");
  std::size_t errors = 0;
  for (std::size_t i = 0; i < whole.size(); i += kStride) {
    std::string text = whole;
    text.erase(i, 1);
    const auto state = parse_agent_state(text);
    errors += !state;
    if (state) make_rows(*state, addr("10.77.0.21"));
  }
  EXPECT_GT(errors, 0u);
  EXPECT_LT(errors, whole.size() / kStride);
}

}  // namespace
}  // namespace viaduct::mesos
