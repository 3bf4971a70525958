// SPDX-License-Identifier: Apache-2.0
// New flows: what settles them, what does not, and that a flood of them harms no settled one.
#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/bpf/tc_families.h"

namespace viaduct::bpftest {
namespace {

constexpr std::uint32_t kFlows = 4096;     // entries of the table of settled flows
constexpr std::uint32_t kNewFlows = 1024;  // and of the table of new ones
constexpr int kClients = 100;

class TcNewFlow : public TcFamilies {
 protected:
  void prepare() override {
    bpf_map__set_max_entries(skeleton_->maps.vd_flow_v1, kFlows);
    bpf_map__set_max_entries(skeleton_->maps.vd_flow_new_v1, kNewFlows);
  }

  std::map<std::string, vd_flow> settled() { return maps().flows("vd_flow_v1"); }
  std::map<std::string, vd_flow> fresh() { return maps().flows("vd_flow_new_v1"); }

  Packet ack(std::uint32_t number, std::uint16_t sport = 40000) {
    return ip(f().client, f().vip) /
           tcp({.sport = sport, .seq = 1001, .ack = number, .flags = kAck});
  }
  static std::uint16_t port_of(int client) {
    return static_cast<std::uint16_t>(20000 + 2 * client);
  }
  // The n-th of many clients that are there for one packet only.
  std::string stranger(int n) {
    const bool v4 = is_v4(addr(f().vip));
    return (v4 ? "198.51.100." : "2001:db8:77::") + std::to_string(n % 200 + 1);
  }

  // Connections of many clients, a flood, and the same connections once more.
  // @param in  the hook that clients' packets come by.
  template <class In>
  void survive(std::uint8_t proto, In in) {
    const std::uint16_t port = proto == IPPROTO_TCP ? 80 : 53;
    maps().add({f().vip, port, proto, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_RANDOM});
    const auto packet = [&](const std::string& client, std::uint16_t sport, std::uint8_t flags) {
      if (proto == IPPROTO_UDP) return ip(client, f().vip) / udp({.sport = sport, .dport = port});
      const std::uint32_t number = flags & kSyn ? 0 : 78;
      return ip(client, f().vip) / tcp({.sport = sport, .ack = number, .flags = flags});
    };
    std::vector<Parsed> there;
    for (int i = 0; i < kClients; ++i) {
      there.push_back(in(packet(f().client, port_of(i), kSyn)).packet());
      to_container(answer(there.back(), kSyn | kAck, ""));
      in(packet(f().client, port_of(i), kAck));
    }
    for (int i = 0; i < 3 * static_cast<int>(kFlows); ++i)
      in(packet(stranger(i), static_cast<std::uint16_t>(1024 + i), kSyn));
    for (int i = 0; i < kClients; ++i) {
      const Parsed& first = there[static_cast<std::size_t>(i)];
      ASSERT_EQ(in(packet(f().client, port_of(i), kAck)).packet().tuple(), first.tuple()) << i;
      ASSERT_EQ(to_container(answer(first, kAck, "x")).packet().tuple(),
                tuple(f().vip, port, f().client, port_of(i)))
          << i;
    }
    EXPECT_EQ(settled().size(), 2u * kClients);
  }
};

INSTANTIATE_TEST_SUITE_P(Families, TcNewFlow, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(TcNewFlow, AFloodOfSynsFromContainersLeavesConnectionsAlone) {
  survive(IPPROTO_TCP, [&](const Bytes& in) { return request(in); });
}

TEST_P(TcNewFlow, AFloodOfSynsFromOutsideLeavesConnectionsAlone) {
  survive(IPPROTO_TCP, [&](const Bytes& in) { return from_uplink(in); });
}

TEST_P(TcNewFlow, AFloodOfDatagramsFromContainersLeavesConversationsAlone) {
  survive(IPPROTO_UDP, [&](const Bytes& in) { return request(in); });
}

TEST_P(TcNewFlow, AFloodOfDatagramsFromOutsideLeavesConversationsAlone) {
  survive(IPPROTO_UDP, [&](const Bytes& in) { return from_uplink(in); });
}

TEST_P(TcNewFlow, AHandshakeSettlesAConnection) {
  const ServiceIds ids = maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  vd_load failing{};
  failing.failing = 2;
  maps().set_load(ids.backends[0], failing);
  const Parsed there = request(syn(f().vip)).packet();
  EXPECT_EQ(settled().size(), 0u);
  EXPECT_EQ(fresh().size(), 2u);
  for (int i = 0; i < 2; ++i) {
    const Result back = to_container(answer(there, kSyn | kAck, ""));
    EXPECT_EQ(back.packet().tuple(), tuple(f().vip, 80, f().client, 40000)) << "and is repeated";
    EXPECT_TRUE(back.packet().checksums_ok);
  }
  EXPECT_EQ(settled().size(), 0u) << "an answer alone says nothing of the client";
  EXPECT_EQ(maps().load(ids.backends[0]).failing, 2u);

  EXPECT_EQ(request(ack(78)).packet().tuple(), there.tuple());
  EXPECT_EQ(fresh().size(), 0u);
  ASSERT_EQ(settled().size(), 2u);
  for (const auto& [name, flow] : settled())
    EXPECT_EQ(static_cast<int>(flow.flags), name.starts_with(f().client) ? 0 : int{VD_FLOW_REPLY})
        << name;
  EXPECT_EQ(settled().at(tuple(f().client, 40000, f().vip, 80)).packets, 2u);
  EXPECT_EQ(to_container(answer(there, kAck, "x")).packet().tuple(),
            tuple(f().vip, 80, f().client, 40000));
  EXPECT_EQ(request(ack(79)).packet().tuple(), there.tuple());
  EXPECT_EQ(maps().load(ids.backends[0]).flows, 1u);
  EXPECT_EQ(maps().load(ids.backends[0]).failing, 0u) << "its connects do not fail any more";
  EXPECT_EQ(maps().count(VD_HOOK_HEALTH, VD_CONNECTED), 1u);
}

TEST_P(TcNewFlow, AHairpinIsSettledToo) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().client, 8080}}});
  const Parsed there = request(syn(f().vip)).packet();
  EXPECT_EQ(request(answer(there, kSyn | kAck, "")).packet().tuple(),
            tuple(f().vip, 80, f().client, 40000));
  EXPECT_EQ(request(ack(78)).packet().tuple(), there.tuple());
  EXPECT_EQ(settled().size(), 2u);
  EXPECT_EQ(fresh().size(), 0u);
}

TEST_P(TcNewFlow, WhatDoesNotAcknowledgeTheAnswerSettlesNothing) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Parsed there = request(syn(f().vip)).packet();
  EXPECT_EQ(request(ack(78)).packet().tuple(), there.tuple());
  EXPECT_EQ(settled().size(), 0u) << "there was no answer yet";
  to_container(answer(there, kSyn | kAck, ""));
  const Bytes others[] = {
      ack(0),
      ack(76),
      ack(77 + (1 << 20) + 1),
      syn(f().vip),
      data(f().vip, 80, kRst | kAck),
      data(f().vip, 80, kRst),
      data(f().vip, 80, kSyn | kAck),
  };
  for (const Bytes& in : others) {
    EXPECT_EQ(request(in).packet().tuple(), there.tuple()) << "but it reaches the backend";
    EXPECT_EQ(settled().size(), 0u);
  }
  request(ack(78));
  EXPECT_EQ(settled().size(), 2u);
}

TEST_P(TcNewFlow, TheNumberIsThatOfTheLatestSynAck) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Parsed there = request(syn(f().vip)).packet();
  for (const std::uint32_t number : {5'000'000u, 0xfffffff0u})
    to_container(ip(there.dst, there.src) / tcp({.sport = there.dport,
                                                 .dport = there.sport,
                                                 .seq = number,
                                                 .ack = 1001,
                                                 .flags = kSyn | kAck}));
  to_container(answer(there, kAck, "what follows a SYN-ACK changes nothing"));
  request(ack(5'000'001));
  EXPECT_EQ(settled().size(), 0u);
  request(ack(5));
  EXPECT_EQ(settled().size(), 2u) << "numbers wrap round";
}

TEST_P(TcNewFlow, AConversationIsSettledByTheSecondQuestion) {
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 5353}}});
  const Parsed there = request(datagram(f().vip)).packet();
  request(datagram(f().vip));
  EXPECT_EQ(settled().size(), 0u) << "nobody answered";
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(to_container(answer(there, 0, "answer")).packet().tuple(),
              tuple(f().vip, 53, f().client, 40000));
  EXPECT_EQ(settled().size(), 0u);
  EXPECT_EQ(request(datagram(f().vip)).packet().tuple(), there.tuple());
  EXPECT_EQ(settled().size(), 2u);
  EXPECT_EQ(fresh().size(), 0u);
  EXPECT_EQ(maps().count(VD_HOOK_HEALTH, VD_CONNECTED), 0u);
}

TEST_P(TcNewFlow, AnIcmpErrorIsNoAnswer) {
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 5353}}});
  const Bytes there = request(datagram(f().vip)).out;
  const bool v4 = is_v4(addr(f().vip));
  const Bytes error =
      ip(f().backend, f().client) /
      icmp({.type = static_cast<std::uint8_t>(v4 ? 3 : 1),
            .code = static_cast<std::uint8_t>(v4 ? 3 : 4),
            .rest = 0,
            .data = Bytes(there.begin() + 14, there.begin() + 14 + (v4 ? 20 : 40) + 8)});
  EXPECT_EQ(to_container(error).packet().src, f().vip);
  request(datagram(f().vip));
  EXPECT_EQ(settled().size(), 0u);
}

TEST_P(TcNewFlow, ARepeatedSynIsTheSameFlow) {
  const ServiceIds ids = maps().add(
      {f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_RANDOM});
  const Parsed first = request(syn(f().vip)).packet();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(request(syn(f().vip)).packet().tuple(), first.tuple());
    if (i > 10) to_container(answer(first, kSyn | kAck, ""));
    if (i > 15) age_flows(1);
  }
  EXPECT_EQ(fresh().size(), 2u);
  EXPECT_EQ(maps().load(ids.backends[0]).flows + maps().load(ids.backends[1]).flows, 1u);
}

TEST_P(TcNewFlow, ASettledFlowThatLostItsRequestEntryGetsItBack) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_HASH});
  const Parsed there = request(syn(f().vip)).packet();
  to_container(answer(there, kSyn | kAck, ""));
  request(ack(78));
  maps().lose_flow(tuple(f().client, 40000, f().vip, 80));
  EXPECT_EQ(request(ack(79)).packet().tuple(), there.tuple()) << "picked up where it was";
  EXPECT_EQ(settled().size(), 1u);
  age_flows(2);
  EXPECT_EQ(to_container(answer(there, kAck, "x")).packet().tuple(),
            tuple(f().vip, 80, f().client, 40000));
  EXPECT_EQ(settled().size(), 2u);
  EXPECT_EQ(request(ack(80)).packet().tuple(), there.tuple());
}

TEST_P(TcNewFlow, TwoNewFlowsDoNotShareAPort) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  maps().add({f().other_vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Parsed first = request(syn(f().vip)).packet();
  to_container(answer(first, kSyn | kAck, ""));
  request(ack(78));
  const Parsed second = request(syn(f().other_vip)).packet();
  EXPECT_NE(second.sport, first.sport) << "a settled flow has it";
  age_flows(1000);
  const Parsed third = request(syn(f().other_vip)).packet();
  EXPECT_EQ(third.sport, second.sport);
}

TEST_P(TcNewFlow, ARefusedConnectionIsForgottenAndCountsAgainstItsBackend) {
  const ServiceIds ids =
      maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}});
  int refused = 0;
  const auto is_ejected = [&](std::uint32_t id) { return maps().load(id).ejected_until_s != 0; };
  for (std::uint16_t port = 30000; port < 30200 && !is_ejected(ids.backends[0]); port += 2) {
    const Parsed there = request(syn(f().vip, 80, port)).packet();
    if (there.dst != f().backend) continue;
    const Result back = to_container(answer(there, kRst | kAck, ""));
    EXPECT_EQ(back.packet().tuple(), tuple(f().vip, 80, f().client, port));
    EXPECT_EQ(back.packet().flags, kRst | kAck);
    EXPECT_TRUE(back.packet().checksums_ok);
    EXPECT_FALSE(fresh().contains(tuple(f().client, port, f().vip, 80)));
    EXPECT_EQ(maps().load(ids.backends[0]).failures, static_cast<std::uint64_t>(++refused));
  }
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(maps().load(ids.backends[0]).last_error, static_cast<std::uint32_t>(ECONNREFUSED));
  EXPECT_EQ(maps().count(VD_HOOK_HEALTH, VD_CONNECT_FAILED), 2u);
  EXPECT_EQ(maps().count(VD_HOOK_HEALTH, VD_EJECTED), 1u);
  for (std::uint16_t port = 30200; port < 30240; port += 2)
    EXPECT_EQ(request(syn(f().vip, 80, port)).packet().dst, f().backend2) << "the other gets all";
  EXPECT_EQ(settled().size(), 0u);
}

TEST_P(TcNewFlow, AResetThatRefusesNoConnectCountsAgainstNobody) {
  const ServiceIds ids = maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Parsed picked_up = request(data(f().vip)).packet();
  EXPECT_EQ(to_container(answer(picked_up, kRst, "")).packet().flags, kRst);
  EXPECT_TRUE(maps().flows().empty()) << "a connection that the backend does not know";
  const Parsed there = request(syn(f().vip)).packet();
  to_container(answer(there, kSyn | kAck, ""));
  to_container(answer(there, kRst | kAck, ""));
  EXPECT_EQ(fresh().size(), 2u);
  request(ack(78));
  to_container(answer(there, kRst | kAck, ""));
  ASSERT_EQ(settled().size(), 2u);
  for (const auto& [name, flow] : settled()) EXPECT_TRUE(flow.flags & VD_FLOW_CLOSING) << name;
  EXPECT_EQ(maps().load(ids.backends[0]).failures, 0u);
}

}  // namespace
}  // namespace viaduct::bpftest
