// SPDX-License-Identifier: Apache-2.0
// A container's packets: client, VIP, backend, reply. The output of one step is the input of the
// next.
#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include <ctime>
#include <set>

#include "tests/bpf/tc_lab.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

struct Family {
  const char* name;
  const char* client;
  const char* vip;
  const char* other_vip;
  const char* backend;
  const char* backend2;
};

const Family kFamilies[] = {
    {"v4", "192.0.2.100", "11.0.0.1", "11.0.0.2", "203.0.113.5", "203.0.113.6"},
    {"v6", "2001:db8::100", "fd01:c::1", "fd01:c::2", "2001:db8:1::5", "2001:db8:1::6"},
};

// A frame between two addresses of one family.
Packet ip(const std::string& src, const std::string& dst) {
  if (src.find(':') == std::string::npos) return eth() / ipv4({.src = src, .dst = dst});
  return eth() / ipv6({.src = src, .dst = dst});
}

// The answer to a packet as its receiver would send it.
Packet answer(const Parsed& to, std::uint8_t flags, const std::string& data) {
  if (to.proto == IPPROTO_UDP)
    return ip(to.dst, to.src) / udp({.sport = to.dport, .dport = to.sport, .data = data});
  return ip(to.dst, to.src) / tcp({.sport = to.dport,
                                   .dport = to.sport,
                                   .seq = 77,
                                   .ack = to.seq + 1,
                                   .flags = flags,
                                   .data = data});
}

class TcRequest : public TcLab, public ::testing::WithParamInterface<Family> {
 protected:
  const Family& f() { return GetParam(); }
  Packet syn(const std::string& vip, std::uint16_t port = 80, std::uint16_t sport = 40000) {
    return ip(f().client, vip) / tcp({.sport = sport, .dport = port});
  }
  Packet data(const std::string& vip, std::uint16_t port = 80, std::uint8_t flags = kAck) {
    return ip(f().client, vip) /
           tcp({.dport = port, .seq = 1001, .ack = 78, .flags = flags, .data = "hello"});
  }
  Packet datagram(const std::string& vip, std::uint16_t sport = 40000) {
    return ip(f().client, vip) / udp({.sport = sport, .dport = 53});
  }
  std::string tuple(const std::string& a, int aport, const std::string& b, int bport) {
    return a + " " + std::to_string(aport) + " > " + b + " " + std::to_string(bport);
  }
  // Makes every entry of the flow table look as if it was last used `seconds` earlier.
  void age_flows(std::uint32_t seconds) {
    vd_flow_key key{}, next{};
    const vd_flow_key* previous = nullptr;
    const int fd = maps().fd("vd_flow_v1");
    while (bpf_map_get_next_key(fd, previous, &next) == 0) {
      key = next;
      previous = &key;
      vd_flow value{};
      ASSERT_EQ(bpf_map_lookup_elem(fd, &key, &value), 0);
      value.last_seen_s -= seconds;
      ASSERT_EQ(bpf_map_update_elem(fd, &key, &value, BPF_EXIST), 0);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Families, TcRequest, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(TcRequest, ATcpConnectionLivesThroughNat) {
  const ServiceIds ids = maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Bytes sent = syn(f().vip);
  const Result at_backend = request(sent);
  EXPECT_EQ(at_backend.verdict, kPass);
  EXPECT_EQ(at_backend.packet().tuple(), tuple(f().client, 40000, f().backend, 8080));
  EXPECT_TRUE(at_backend.packet().checksums_ok);
  EXPECT_EQ(at_backend.packet().seq, 1000u);

  const Bytes syn_ack = answer(at_backend.packet(), kSyn | kAck, "");
  EXPECT_EQ(request(syn_ack).out, syn_ack)
      << "a container backend's own link leaves it: strict rp_filter";
  EXPECT_EQ(from_uplink(syn_ack).out, syn_ack) << "and so does an uplink";
  const Result at_client = to_container(syn_ack);
  EXPECT_EQ(at_client.verdict, kPass);
  EXPECT_EQ(at_client.packet().tuple(), tuple(f().vip, 80, f().client, 40000));
  EXPECT_TRUE(at_client.packet().checksums_ok);

  const Result more = request(data(f().vip));
  EXPECT_EQ(more.packet().tuple(), tuple(f().client, 40000, f().backend, 8080));
  EXPECT_EQ(more.packet().payload, Bytes({'h', 'e', 'l', 'l', 'o'}));
  EXPECT_TRUE(more.packet().checksums_ok);

  EXPECT_EQ(maps().load(ids.backends[0]).flows, 1u);
  EXPECT_EQ(maps().load(ids.backends[0]).packets, 2u);
  EXPECT_EQ(maps().load(ids.backends[0]).open, 0u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_FORWARDED), 2u);
  EXPECT_EQ(maps().count(VD_HOOK_REPLY, VD_REPLIED), 1u);
  EXPECT_EQ(maps().flows().size(), 2u);
}

TEST_P(TcRequest, AUdpExchangeLivesThroughNat) {
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 5353}}});
  const Result at_backend = request(datagram(f().vip));
  EXPECT_EQ(at_backend.verdict, kPass);
  EXPECT_EQ(at_backend.packet().tuple(), tuple(f().client, 40000, f().backend, 5353));
  EXPECT_TRUE(at_backend.packet().checksums_ok);
  EXPECT_TRUE(at_backend.packet().has_udp_checksum);
  const Result at_client = to_container(answer(at_backend.packet(), 0, "answer"));
  EXPECT_EQ(at_client.packet().tuple(), tuple(f().vip, 53, f().client, 40000));
  EXPECT_TRUE(at_client.packet().checksums_ok);
  EXPECT_EQ(at_client.packet().payload, Bytes({'a', 'n', 's', 'w', 'e', 'r'}));
}

TEST_P(TcRequest, OffloadsAndOddLengthsKeepChecksumsRight) {
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 5353}}});
  std::string payload;
  for (int i = 0; i < 300; ++i) {
    payload.push_back(static_cast<char>(i * 7));
    const Result out =
        request(ip(f().client, f().vip) /
                udp({.sport = static_cast<std::uint16_t>(1000 + i), .data = payload}));
    ASSERT_TRUE(out.packet().checksums_ok) << i;
    ASSERT_TRUE(out.packet().has_udp_checksum) << i;
  }
}

TEST_P(TcRequest, WhatIsNoVipPassesUntouched) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Bytes others[] = {
      syn(f().other_vip),
      syn(f().vip, 81),
      datagram(f().vip),
      ip(f().client, f().vip) / raw(),
      ip(f().client, f().vip) / icmp({.type = 8}),
      eth({.type = 0x0806}) / raw({.data = Bytes(28, 1)}),
  };
  for (const Bytes& in : others) {
    for (const Result& out : {request(in), to_container(in), from_uplink(in)}) {
      EXPECT_EQ(out.verdict, kPass);
      EXPECT_EQ(out.out, in);
    }
  }
  EXPECT_EQ(maps().flows().size(), 0u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NOT_VIP), 3u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NOT_L4), 2u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NOT_IP), 1u);
}

TEST_P(TcRequest, TruncatedPacketsPassUntouched) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Bytes whole = syn(f().vip);
  const std::size_t least = f().name == std::string("v4") ? 34 : 54;  // the kernel takes no less
  for (std::size_t size = least; size < whole.size(); ++size) {
    const Bytes in(whole.begin(), whole.begin() + static_cast<long>(size));
    const Result out = request(in);
    ASSERT_EQ(out.verdict, kPass) << size;
    ASSERT_EQ(out.out, in) << size;
  }
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_TRUNCATED), whole.size() - least);
  EXPECT_EQ(maps().flows().size(), 0u);
}

TEST_P(TcRequest, HairpinMakesTheVipTheSourceAndComesBack) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().client, 8080}}});
  const Result at_backend = request(syn(f().vip));
  EXPECT_EQ(at_backend.verdict, kRedirect);
  EXPECT_EQ(at_backend.packet().tuple(), tuple(f().vip, 40000, f().client, 8080));
  EXPECT_TRUE(at_backend.packet().checksums_ok);
  EXPECT_EQ(at_backend.packet().eth_dst, Eth{}.src) << "back to the container";
  EXPECT_EQ(at_backend.packet().eth_src, Eth{}.dst);
  EXPECT_EQ(to_container(at_backend.out).out, at_backend.out)
      << "it passes its own link's egress once more";

  const Result at_client = request(answer(at_backend.packet(), kSyn | kAck, ""));
  EXPECT_EQ(at_client.verdict, kRedirect);
  EXPECT_EQ(at_client.packet().tuple(), tuple(f().vip, 80, f().client, 40000));
  EXPECT_TRUE(at_client.packet().checksums_ok);
  EXPECT_EQ(to_container(at_client.out).out, at_client.out);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_HAIRPINNED), 1u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_REPLIED), 1u);
}

TEST_P(TcRequest, TcpWithoutABackendIsReset) {
  maps().add({f().vip, 80, IPPROTO_TCP, {}});
  const Result refused = request(syn(f().vip));
  EXPECT_EQ(refused.verdict, kRedirect);
  const Parsed rst = refused.packet();
  EXPECT_EQ(rst.tuple(), tuple(f().vip, 80, f().client, 40000));
  EXPECT_EQ(rst.flags, kRst | kAck);
  EXPECT_EQ(rst.seq, 0u);
  EXPECT_EQ(rst.ack, 1001u) << "the SYN counts as one";
  EXPECT_TRUE(rst.checksums_ok);
  EXPECT_EQ(rst.eth_dst, Eth{}.src);

  const Parsed later = request(data(f().vip)).packet();
  EXPECT_EQ(later.flags, kRst);
  EXPECT_EQ(later.seq, 78u) << "what the segment acknowledges";
  EXPECT_TRUE(later.checksums_ok);

  const Parsed no_ack = request(data(f().vip, 80, kFin)).packet();
  EXPECT_EQ(no_ack.flags, kRst | kAck);
  EXPECT_EQ(no_ack.ack, 1001u + 5 + 1) << "five bytes and the FIN";

  EXPECT_EQ(request(data(f().vip, 80, kRst)).verdict, kDrop) << "a RST is never answered";
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NO_BACKEND), 4u);
}

TEST_P(TcRequest, UdpWithoutABackendGetsPortUnreachable) {
  maps().add({f().vip, 53, IPPROTO_UDP, {}});
  const Bytes sent = datagram(f().vip);
  const Result refused = request(sent);
  EXPECT_EQ(refused.verdict, kRedirect);
  const Parsed error = refused.packet();
  const bool v4 = f().name == std::string("v4");
  EXPECT_EQ(error.src, f().vip);
  EXPECT_EQ(error.dst, f().client);
  EXPECT_EQ(error.proto, v4 ? 1 : 58);
  EXPECT_EQ(error.type, v4 ? 3 : 1);
  EXPECT_EQ(error.code, v4 ? 3 : 4);
  EXPECT_TRUE(error.checksums_ok);
  EXPECT_EQ(error.eth_dst, Eth{}.src);
  EXPECT_EQ(error.payload, Bytes(sent.begin() + 14, sent.begin() + 14 + (v4 ? 20 : 40) + 8))
      << "quotes the packet";
}

TEST_P(TcRequest, TwoVipsOfOneBackendDoNotCollide) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  maps().add({f().other_vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Parsed first = request(syn(f().vip)).packet();
  const Parsed second = request(syn(f().other_vip)).packet();
  EXPECT_EQ(first.sport, 40000);
  EXPECT_NE(second.sport, 40000);
  EXPECT_GE(second.sport, 32768);
  EXPECT_TRUE(second.checksums_ok);
  EXPECT_EQ(to_container(answer(first, kSyn | kAck, "")).packet().tuple(),
            tuple(f().vip, 80, f().client, 40000));
  const Result reply = to_container(answer(second, kSyn | kAck, ""));
  EXPECT_EQ(reply.packet().tuple(), tuple(f().other_vip, 80, f().client, 40000));
  EXPECT_TRUE(reply.packet().checksums_ok);
  EXPECT_EQ(request(data(f().other_vip)).packet().sport, second.sport) << "the flow keeps its port";
}

TEST_P(TcRequest, AFlowThatIsOverMakesRoom) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  maps().add({f().other_vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Result first = request(syn(f().vip));
  request(data(f().vip, 80, kFin | kAck));
  for (const auto& [name, flow] : maps().flows())
    EXPECT_TRUE(flow.flags & VD_FLOW_CLOSING) << name << ": either direction knows";
  age_flows(61);
  const Result second = request(syn(f().other_vip));
  EXPECT_EQ(second.packet().sport, 40000);
  EXPECT_EQ(to_container(answer(second.packet(), kSyn | kAck, "")).packet().tuple(),
            tuple(f().other_vip, 80, f().client, 40000));
}

TEST_P(TcRequest, ARemovedBackendResetsTcpAndMovesUdp) {
  const ServiceIds tcp_ids = maps().add(
      {f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_HASH});
  const ServiceIds udp_ids =
      maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 53}, {f().backend2, 53}}, VD_PICK_HASH});
  const bool tcp_first = request(syn(f().vip)).packet().dst == f().backend;
  const Result first = request(datagram(f().vip));
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

TEST_P(TcRequest, ADrainedBackendKeepsItsFlowsAndGetsNoNewOnes) {
  const ServiceIds ids =
      maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}});
  const bool first = request(syn(f().vip)).packet().dst == f().backend;
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

TEST_P(TcRequest, ASynOnAnExistingFlowKeepsItsBackend) {
  maps().add(
      {f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_RANDOM});
  const std::string dst = request(syn(f().vip)).packet().dst;
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(request(syn(f().vip)).packet().dst, dst) << "a repeated SYN";
}

TEST_P(TcRequest, ASilentUdpFlowIsPickedAnew) {
  const ServiceIds ids =
      maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 53}, {f().backend2, 53}}});
  const bool first = request(datagram(f().vip)).packet().dst == f().backend;
  maps().set_weight(ids.backends[first ? 0 : 1], 0);
  const char* mine = first ? f().backend : f().backend2;
  age_flows(VD_UDP_IDLE_S - 5);
  EXPECT_EQ(request(datagram(f().vip)).packet().dst, mine);
  age_flows(VD_UDP_IDLE_S + 5);
  EXPECT_NE(request(datagram(f().vip)).packet().dst, mine);
}

TEST_P(TcRequest, TcpInMidFlowIsPickedUpByTheSameRule) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_HASH});
  const std::string dst = request(syn(f().vip)).packet().dst;
  vd_flow_key key{};
  while (bpf_map_get_next_key(maps().fd("vd_flow_v1"), nullptr, &key) == 0)
    bpf_map_delete_elem(maps().fd("vd_flow_v1"), &key);
  EXPECT_EQ(request(data(f().vip)).packet().dst, dst);
}

TEST_P(TcRequest, AnEntryThatTheTableLostComesBackFromItsTwin) {
  maps().add(
      {f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8080}}, VD_PICK_RANDOM});
  const Result at_backend = request(syn(f().vip));
  const Bytes reply = answer(at_backend.packet(), kAck, "x");
  for (int round = 0; round < 4; ++round) {
    vd_flow_key lost{}, next{};
    const vd_flow_key* previous = nullptr;
    while (bpf_map_get_next_key(maps().fd("vd_flow_v1"), previous, &next) == 0) {
      vd_flow value{};
      ASSERT_EQ(bpf_map_lookup_elem(maps().fd("vd_flow_v1"), &next, &value), 0);
      if (!(value.flags & VD_FLOW_REPLY) == (round % 2 == 0)) lost = next;
      static vd_flow_key kept;
      kept = next;
      previous = &kept;
    }
    ASSERT_EQ(bpf_map_delete_elem(maps().fd("vd_flow_v1"), &lost), 0);
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

TEST_P(TcRequest, HashAndRandomPicksFollowTheWeights) {
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

class TcRequest4 : public TcLab {};
class TcRequest6 : public TcLab {};

TEST_F(TcRequest4, UdpWithoutAChecksumStaysWithoutOne) {
  maps().add({"11.0.0.1", 53, IPPROTO_UDP, {{"203.0.113.5", 5353}}});
  const Result out = request(eth() / ipv4({.dst = "11.0.0.1"}) / udp({.checksum = false}));
  EXPECT_EQ(out.packet().dst, "203.0.113.5");
  EXPECT_FALSE(out.packet().has_udp_checksum);
  EXPECT_TRUE(out.packet().checksums_ok);
}

TEST_F(TcRequest4, FragmentsPassUntouched) {
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  for (const std::uint16_t fragment :
       {std::uint16_t{0x2000}, std::uint16_t{0x2001}, std::uint16_t{0x0001}}) {
    const Bytes in = eth() / ipv4({.dst = "11.0.0.1", .fragment = fragment}) / tcp();
    EXPECT_EQ(request(in).out, in);
  }
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_FRAGMENT), 3u);
}

TEST_F(TcRequest4, LyingHeadersPassUntouched) {
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  const Bytes lies[] = {
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 41}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 39}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 0}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 65535}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .header_words = 4}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .header_words = 15}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.header_words = 4}),
      eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.header_words = 6}),
      eth({.type = 0x86dd}) / ipv4({.dst = "11.0.0.1"}) / tcp({.data = std::string(40, 'x')}),
  };
  for (const Bytes& in : lies) {
    const Result out = request(in);
    EXPECT_EQ(out.verdict, kPass);
    EXPECT_EQ(out.out, in);
  }
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_TRUNCATED), std::size(lies));
  EXPECT_EQ(maps().flows().size(), 0u);
}

TEST_F(TcRequest4, OptionsAndPaddingAreWalkedOver) {
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  maps().add({"11.0.0.2", 80, IPPROTO_TCP, {}});
  maps().add({"11.0.0.2", 53, IPPROTO_UDP, {}});
  const Bytes options = {1, 1, 1, 1, 1, 1, 1, 0};
  Bytes in = eth() / ipv4({.dst = "11.0.0.1", .options = options}) / tcp();
  in.insert(in.end(), 6, 0);  // Ethernet padding
  const Result out = request(in);
  EXPECT_EQ(out.packet().tuple(), "192.0.2.100 40000 > 203.0.113.5 8080");
  EXPECT_TRUE(out.packet().checksums_ok);
  EXPECT_EQ(out.out.size(), in.size());

  const Parsed rst =
      request(eth() / ipv4({.dst = "11.0.0.2", .options = options}) / tcp()).packet();
  EXPECT_EQ(rst.tuple(), "11.0.0.2 80 > 192.0.2.100 40000");
  EXPECT_EQ(rst.ack, 1001u);
  EXPECT_TRUE(rst.checksums_ok);
  const Bytes asked = eth() / ipv4({.dst = "11.0.0.2", .options = options}) / udp();
  const Parsed error = request(asked).packet();
  EXPECT_TRUE(error.checksums_ok);
  EXPECT_EQ(error.payload, Bytes(asked.begin() + 14, asked.begin() + 14 + 28 + 8));
}

TEST_F(TcRequest6, ExtensionHeadersAreWalkedOver) {
  maps().add({"fd01:c::1", 80, IPPROTO_TCP, {{"2001:db8:1::5", 8080}}});
  maps().add({"fd01:c::2", 80, IPPROTO_TCP, {}});
  maps().add({"fd01:c::2", 53, IPPROTO_UDP, {}});
  const Result out = request(
      eth() / ipv6({.dst = "fd01:c::1", .extensions = {{0, 0}, {60, 2}, {43, 0}, {60, 255}}}) /
      tcp());
  EXPECT_EQ(out.packet().tuple(), "2001:db8::100 40000 > 2001:db8:1::5 8080");
  EXPECT_TRUE(out.packet().checksums_ok);
  const Parsed rst =
      request(eth() / ipv6({.dst = "fd01:c::2", .extensions = {{0, 3}}}) / tcp()).packet();
  EXPECT_EQ(rst.tuple(), "fd01:c::2 80 > 2001:db8::100 40000");
  EXPECT_TRUE(rst.checksums_ok);
  const Parsed error =
      request(eth() / ipv6({.dst = "fd01:c::2", .extensions = {{0, 3}}}) / udp()).packet();
  EXPECT_EQ(error.type, 1);
  EXPECT_TRUE(error.checksums_ok);
}

TEST_F(TcRequest6, TooManyExtensionHeadersAndFragmentsPassUntouched) {
  maps().add({"fd01:c::1", 80, IPPROTO_TCP, {{"2001:db8:1::5", 8080}}});
  const Bytes chain =
      eth() /
      ipv6({.dst = "fd01:c::1", .extensions = {{0, 0}, {60, 0}, {60, 0}, {60, 0}, {60, 0}}}) /
      tcp();
  EXPECT_EQ(request(chain).out, chain);
  const Bytes fragment = eth() / ipv6({.dst = "fd01:c::1", .extensions = {{44, 0}}}) / tcp();
  EXPECT_EQ(request(fragment).out, fragment);
  const Bytes lying = eth() / ipv6({.dst = "fd01:c::1", .payload_length = 60}) / tcp();
  EXPECT_EQ(request(lying).out, lying);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NOT_L4), 1u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_FRAGMENT), 1u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_TRUNCATED), 1u);
}

}  // namespace
}  // namespace viaduct::bpftest
