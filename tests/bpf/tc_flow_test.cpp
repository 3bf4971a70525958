// SPDX-License-Identifier: Apache-2.0
// What becomes of flows: ports, removed and drained backends, silence, lost entries, weights.
#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/bpf/tc_families.h"

namespace viaduct::bpftest {
namespace {

class TcFlow : public TcFamilies {
 protected:
  // The first packet of a connection, or all three. @return the first as the backend gets it.
  Result begin(const std::string& vip) {
    Result first = request(syn(vip));
    if (!f().settled) return first;
    to_container(answer(first.packet(), kSyn | kAck, ""));
    request(data(vip));
    return first;
  }
  // A datagram, or a question, its answer and the next question.
  Result begin_udp(const std::string& vip) {
    Result first = request(datagram(vip));
    if (!f().settled) return first;
    to_container(answer(first.packet(), 0, "answer"));
    request(datagram(vip));
    return first;
  }
};

// Every test with flows of either table.
std::vector<Family> flow_families() {
  std::vector<Family> all(std::begin(kFamilies), std::end(kFamilies));
  all.insert(all.end(), std::begin(kFamilies), std::end(kFamilies));
  all[2].name = "v4_settled";
  all[3].name = "v6_settled";
  all[2].settled = all[3].settled = true;
  return all;
}

INSTANTIATE_TEST_SUITE_P(Families, TcFlow, ::testing::ValuesIn(flow_families()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(TcFlow, ANewConnectionIsInTheTableItBelongsTo) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 5353}}});
  begin(f().vip);
  begin_udp(f().vip);
  EXPECT_EQ(maps().flows("vd_flow_v1").size(), f().settled ? 4u : 0u);
  EXPECT_EQ(maps().flows("vd_flow_new_v1").size(), f().settled ? 0u : 4u);
}

TEST_P(TcFlow, TwoVipsOfOneBackendDoNotCollide) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  maps().add({f().other_vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Parsed first = begin(f().vip).packet();
  const Parsed second = begin(f().other_vip).packet();
  EXPECT_EQ(first.sport, kNatPort);
  EXPECT_NE(second.sport, kNatPort);
  EXPECT_GE(second.sport, 32768);
  EXPECT_TRUE(second.checksums_ok);
  EXPECT_EQ(to_container(answer(first, kSyn | kAck, "")).packet().tuple(),
            tuple(f().vip, 80, f().client, 40000));
  const Result reply = to_container(answer(second, kSyn | kAck, ""));
  EXPECT_EQ(reply.packet().tuple(), tuple(f().other_vip, 80, f().client, 40000));
  EXPECT_TRUE(reply.packet().checksums_ok);
  EXPECT_EQ(request(data(f().other_vip)).packet().sport, second.sport) << "the flow keeps its port";
}

TEST_P(TcFlow, AFlowThatIsOverMakesRoom) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  maps().add({f().other_vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Result first = begin(f().vip);
  request(data(f().vip, 80, kFin | kAck));
  for (const auto& [name, flow] : maps().flows())
    EXPECT_TRUE(flow.flags & VD_FLOW_CLOSING) << name << ": either direction knows";
  age_flows(61);
  const Result second = request(syn(f().other_vip));
  EXPECT_EQ(second.packet().sport, kNatPort);
  EXPECT_EQ(to_container(answer(second.packet(), kSyn | kAck, "")).packet().tuple(),
            tuple(f().other_vip, 80, f().client, 40000));
}

TEST_P(TcFlow, AConnectionToABackendItselfIsLeftAloneByFlowsThroughTheVip) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Parsed through_vip = begin(f().vip).packet();
  // The same client port, straight to the backend: another connection, as Linux allows it.
  const Bytes direct = syn(f().backend, 8080);
  EXPECT_EQ(request(direct).out, direct);
  const Bytes direct_answer = answer(parse(direct), kSyn | kAck, "");
  EXPECT_EQ(to_container(direct_answer).out, direct_answer) << "the VIP's flow has another port";
  EXPECT_EQ(to_container(answer(through_vip, kSyn | kAck, "")).packet().sport, 80);
}

TEST_P(TcFlow, AFinishedFlowsPortIsFreeForAConnectionToTheBackendItself) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  begin(f().vip);
  request(data(f().vip, 80, kFin | kAck));
  const Bytes direct = syn(f().backend, 8080, kNatPort);
  EXPECT_EQ(request(direct).out, direct);
  const Bytes direct_answer = answer(parse(direct), kSyn | kAck, "");
  EXPECT_EQ(to_container(direct_answer).out, direct_answer);
  EXPECT_TRUE(maps().flows().empty()) << "both entries of the finished flow are gone";
}

TEST_P(TcFlow, ARemovedBackendResetsTcpAndMovesUdp) {
  const ServiceIds tcp_ids = maps().add(
      {f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_HASH});
  const ServiceIds udp_ids =
      maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 53}, {f().backend2, 53}}, VD_PICK_HASH});
  const bool tcp_first = begin(f().vip).packet().dst == f().backend;
  const Result first = begin_udp(f().vip);
  const bool udp_first = first.packet().dst == f().backend;
  maps().remove_backend(tcp_ids.backends[tcp_first ? 0 : 1]);
  maps().remove_backend(udp_ids.backends[udp_first ? 0 : 1]);

  const Result reset = request(data(f().vip));
  EXPECT_EQ(reset.packet().flags, kRst);
  EXPECT_EQ(reset.packet().tuple(), tuple(f().vip, 80, f().client, 40000));
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_BACKEND_GONE), 1u);
  const Result again = request(syn(f().vip));
  EXPECT_EQ(again.packet().dst, tcp_first ? f().backend2 : f().backend)
      << "a new connection on the same ports";
  EXPECT_EQ(request(data(f().vip)).packet().dst, again.packet().dst);

  const Result moved = request(datagram(f().vip));
  EXPECT_EQ(moved.verdict, kPass);
  EXPECT_EQ(moved.packet().dst, udp_first ? f().backend2 : f().backend);
  const Bytes late = answer(first.packet(), 0, "late");
  EXPECT_EQ(to_container(late).out, late) << "the old backend no longer speaks for the VIP";
}

TEST_P(TcFlow, ADrainedBackendKeepsItsFlowsAndGetsNoNewOnes) {
  const ServiceIds ids =
      maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}});
  const bool first = begin(f().vip).packet().dst == f().backend;
  const char* mine = first ? f().backend : f().backend2;
  const char* other = first ? f().backend2 : f().backend;
  maps().set_weight(ids.backends[first ? 0 : 1], 0);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(request(data(f().vip)).packet().dst, mine);
    EXPECT_EQ(request(syn(f().vip, 80, static_cast<std::uint16_t>(50000 + i))).packet().dst, other);
  }
  EXPECT_EQ(request(syn(f().vip)).packet().dst, other)
      << "a SYN on the old ports is a new connection";
}

TEST_P(TcFlow, ASynOnAnExistingFlowKeepsItsBackend) {
  maps().add(
      {f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_RANDOM});
  const std::string dst = begin(f().vip).packet().dst;
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(request(syn(f().vip)).packet().dst, dst) << "a repeated SYN";
}

TEST_P(TcFlow, ASilentUdpFlowIsPickedAnew) {
  const ServiceIds ids =
      maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 53}, {f().backend2, 53}}});
  const bool first = begin_udp(f().vip).packet().dst == f().backend;
  maps().set_weight(ids.backends[first ? 0 : 1], 0);
  const char* mine = first ? f().backend : f().backend2;
  age_flows(VD_UDP_IDLE_S - 5);
  EXPECT_EQ(request(datagram(f().vip)).packet().dst, mine);
  age_flows(VD_UDP_IDLE_S + 5);
  EXPECT_NE(request(datagram(f().vip)).packet().dst, mine);
}

TEST_P(TcFlow, TcpInMidFlowIsPickedUpByTheSameRule) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_HASH});
  const std::string dst = begin(f().vip).packet().dst;
  for (const auto& [entry, flow] : maps().flows()) maps().lose_flow(entry);
  EXPECT_TRUE(maps().flows().empty());
  EXPECT_EQ(request(data(f().vip)).packet().dst, dst);
}

TEST_P(TcFlow, AnEntryThatTheTableLostComesBackFromItsTwin) {
  maps().add(
      {f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_RANDOM});
  const Result at_backend = begin(f().vip);
  const Bytes reply = answer(at_backend.packet(), kAck, "x");
  for (int round = 0; round < 4; ++round) {
    std::string lost;
    for (const auto& [entry, flow] : maps().flows())
      if (!(flow.flags & VD_FLOW_REPLY) == (round % 2 == 0)) lost = entry;
    maps().lose_flow(lost);
    ASSERT_EQ(maps().flows().size(), 1u);
    age_flows(2);
    if (round % 2 == 0)
      to_container(reply);
    else
      request(data(f().vip));
    ASSERT_EQ(maps().flows().size(), 2u) << round;
    EXPECT_EQ(request(data(f().vip)).packet().dst, at_backend.packet().dst);
    EXPECT_EQ(to_container(reply).packet().tuple(), tuple(f().vip, 80, f().client, 40000));
  }
}

TEST_P(TcFlow, HashAndRandomPicksFollowTheWeights) {
  for (const vd_pick pick : {VD_PICK_HASH, VD_PICK_RANDOM}) {
    const auto port = static_cast<std::uint16_t>(80 + pick);
    const ServiceIds ids =
        maps().add({f().vip,
                    port,
                    IPPROTO_TCP,
                    {{f().backend, 1, 1}, {f().backend, 2, 2}, {f().backend, 3, 7}},
                    pick,
                    1000});
    for (int i = 0; i < 2000; ++i)
      request(syn(f().vip, port, static_cast<std::uint16_t>(10000 + i)));
    const double weights[] = {1, 2, 7};
    double chi_square = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const double expected = 2000 * weights[i] / 10;
      const double seen = static_cast<double>(maps().load(ids.backends[i]).flows);
      chi_square += (seen - expected) * (seen - expected) / expected;
    }
    EXPECT_LT(chi_square, 27.6) << "2 degrees of freedom, p = 10^-6";
  }
}

}  // namespace
}  // namespace viaduct::bpftest
