// SPDX-License-Identifier: Apache-2.0
// VIP traffic into tunnels and out of them.
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include "tests/bpf/xdp_lab.h"
#include "tests/support/fragments.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

struct Family {
  const char* vip;
  const char* backend;
  const char* client;
  const char* own;
  const char* node;
  std::uint8_t inner_proto;  // as a tunnel's payload
  Packet to(const std::string& dst) const {
    return is_v4(addr(vip)) ? eth() / ipv4({.src = client, .dst = dst, .fragment = 0})
                            : eth() / ipv6({.src = client, .dst = dst});
  }
};

const Family kFamilies[] = {
    {"11.0.0.1", "203.0.113.5", "192.0.2.100", kOwn4, kNode4, IPPROTO_IPIP},
    {"fd01:c::1", "2001:db8:1::5", "2001:db8::100", kOwn6, kNode6, IPPROTO_IPV6}};

class XdpTunnel : public XdpLab {
 protected:
  ServiceIds add(const Family& f, std::uint8_t proto, std::uint16_t port) {
    return maps().add({f.vip, port, proto, {{f.backend, 8080}}});
  }
};

TEST_F(XdpTunnel, EitherVersionTravelsInEither) {
  for (const Family& inner : kFamilies) {
    for (const Family& outer : kFamilies) {
      for (const std::uint8_t proto : {std::uint8_t{IPPROTO_TCP}, std::uint8_t{IPPROTO_UDP}}) {
        const auto port = static_cast<std::uint16_t>(proto + (is_v4(addr(outer.vip)) ? 0 : 100));
        put_on_node(add(inner, proto, port), outer.node);
        const Packet packet = proto == IPPROTO_TCP ? tcp({.dport = port, .data = "hello"})
                                                   : udp({.dport = port, .data = "hello"});
        const Bytes in = inner.to(inner.vip) / packet;
        const XdpResult out = run(in);
        ASSERT_EQ(out.verdict, static_cast<std::uint32_t>(XDP_TX));
        EXPECT_EQ(out.packet().src, outer.own);
        EXPECT_EQ(out.packet().dst, outer.node);
        EXPECT_EQ(out.packet().proto, inner.inner_proto);
        EXPECT_EQ(out.packet().eth_dst, kNodeMac);
        const std::size_t overhead = is_v4(addr(outer.vip)) ? 20 : 40;
        EXPECT_EQ(out.out.size(), in.size() + overhead);
        EXPECT_TRUE(std::equal(in.begin() + 14, in.end(),
                               out.out.begin() + static_cast<long>(14 + overhead)))
            << "the inner packet is untouched";
        if (overhead == 20) {
          EXPECT_EQ(packet_detail::checksum(Bytes(out.out.begin() + 14, out.out.begin() + 34)), 0);
        }
      }
    }
  }
  EXPECT_EQ(count(VD_ENCAPSULATED), 8u);
  EXPECT_EQ(maps().counted(), 8u);
}

TEST_F(XdpTunnel, WhatComesOutIsWhatWentIn) {
  for (const Family& inner : kFamilies) {
    add(inner, IPPROTO_TCP, 80);
    const Bytes packet = inner.to(inner.vip) / tcp({.data = "hello"});
    const Bytes inside(packet.begin() + 14, packet.end());
    const Bytes four = eth() / ipv4({.src = kNode4, .dst = kOwn4, .proto = inner.inner_proto}) /
                       raw({.proto = inner.inner_proto, .data = inside});
    const Bytes six = eth() / ipv6({.src = kNode6, .dst = kOwn6, .proto = inner.inner_proto}) /
                      raw({.proto = inner.inner_proto, .data = inside});
    for (const Bytes& tunnelled : {four, six}) {
      const XdpResult out = run(tunnelled);
      EXPECT_EQ(out.verdict, static_cast<std::uint32_t>(XDP_PASS));
      EXPECT_EQ(out.out, packet);
    }
  }
  EXPECT_EQ(count(VD_DECAPSULATED), 4u);
}

TEST_F(XdpTunnel, OtherTunnelsPassUntouched) {
  add(kFamilies[0], IPPROTO_TCP, 80);
  const auto inside = [](const std::string& dst, std::uint16_t port) {
    const Bytes packet = eth() / ipv4({.dst = dst}) / tcp({.dport = port});
    return Bytes(packet.begin() + 14, packet.end());
  };
  const auto tunnel = [](const std::string& dst, const Bytes& inner, std::uint16_t fragment = 0) {
    return static_cast<Bytes>(
        eth() / ipv4({.src = kNode4, .dst = dst, .fragment = fragment, .proto = IPPROTO_IPIP}) /
        raw({.proto = IPPROTO_IPIP, .data = inner}));
  };
  const Bytes others[] = {
      tunnel(kOwn4, inside("203.0.113.77", 80)),      // no VIP inside
      tunnel(kOwn4, inside("11.0.0.1", 81)),          // no service on that port
      tunnel("198.18.0.77", inside("11.0.0.1", 80)),  // another machine's tunnel
      tunnel(kOwn4, inside("11.0.0.1", 80), 0x2000),  // a fragment of a tunnel's packet
      tunnel(kOwn4, Bytes(19, 0x45)),                 // cut off
      tunnel(kOwn4, Bytes(40, 0)),                    // no IP header
  };
  for (const Bytes& other : others) {
    const XdpResult out = run(other);
    EXPECT_EQ(out.verdict, static_cast<std::uint32_t>(XDP_PASS));
    EXPECT_EQ(out.out, other);
  }
  EXPECT_EQ(count(VD_DECAPSULATED), 0u);
  EXPECT_EQ(maps().counted(), std::size(others));
}

TEST_F(XdpTunnel, ABackendOfThisMachineIsLeftToTc) {
  for (const Family& f : kFamilies) {
    add(f, IPPROTO_TCP, 80);
    const Bytes in = f.to(f.vip) / tcp();
    EXPECT_EQ(run(in).out, in);
  }
  maps().add({"11.0.0.1", 81, IPPROTO_TCP, {}});  // refusing is tc's too
  EXPECT_EQ(run(kFamilies[0].to("11.0.0.1") / tcp({.dport = 81})).verdict,
            static_cast<std::uint32_t>(XDP_PASS));
  EXPECT_EQ(count(VD_LOCAL), 3u);
}

TEST_F(XdpTunnel, AMachineWithoutAWayIsSaidToBe) {
  put_on_node(add(kFamilies[0], IPPROTO_TCP, 80), "198.18.0.250");  // no neighbour of that address
  EXPECT_EQ(run(kFamilies[0].to("11.0.0.1") / tcp()).verdict, static_cast<std::uint32_t>(XDP_DROP));
  EXPECT_EQ(count(VD_NO_NEIGHBOUR), 1u);
}

TEST_F(XdpTunnel, WhatDoesNotFitIsToldItsSize) {
  for (const Family& f : kFamilies) {
    put_on_node(add(f, IPPROTO_UDP, 53), f.node);
    const bool v4 = is_v4(addr(f.vip));
    const std::size_t overhead = v4 ? 20 : 40, headers = v4 ? 28 : 48;
    const std::size_t fits = 1500 - overhead - headers;
    const auto datagram = [&](std::size_t size) {
      return static_cast<Bytes>(f.to(f.vip) / udp({.dport = 53, .data = std::string(size, 'x')}));
    };
    EXPECT_EQ(run(datagram(fits)).packet().dst, f.node);
    const XdpResult out = run(datagram(fits + 1));
    ASSERT_EQ(out.verdict, static_cast<std::uint32_t>(XDP_TX));
    const Parsed answer = out.packet();
    EXPECT_EQ(answer.src, f.vip);
    EXPECT_EQ(answer.dst, f.client);
    EXPECT_EQ(answer.type, v4 ? 3 : 2);
    EXPECT_EQ(answer.code, v4 ? 4 : 0);
    EXPECT_TRUE(answer.checksums_ok);
    EXPECT_EQ(packet_detail::get32(out.out, 14 + (v4 ? 20 : 40) + 4), 1500 - overhead);
    EXPECT_EQ(parse_ip(answer.payload, true).tuple(),
              std::string(f.client) + " 40000 > " + f.vip + " 53");
  }
  EXPECT_EQ(count(VD_TOO_BIG), 2u);
}

TEST_F(XdpTunnel, FragmentsFollowTheirFirst) {
  for (const Family& f : kFamilies) {
    put_on_node(add(f, IPPROTO_UDP, 53), f.node);
    const auto parts =
        in_fragments(f.to(f.vip) / udp({.dport = 53, .data = std::string(100, 'x')}), 48);
    EXPECT_EQ(run(parts[1]).out, parts[1]) << "its first has not come yet";
    for (const Bytes& part : parts) EXPECT_EQ(run(part).packet().dst, f.node);
  }
  EXPECT_EQ(count(VD_FRAGMENT), 2u);
}

TEST_F(XdpTunnel, AnIcmpErrorGoesWhereItsFlowGoes) {
  for (const Family& f : kFamilies) {
    put_on_node(add(f, IPPROTO_TCP, 80), f.node);
    const bool v4 = is_v4(addr(f.vip));
    const Bytes answer = v4 ? static_cast<Bytes>(eth() / ipv4({.src = f.vip, .dst = f.client}) /
                                                 tcp({.sport = 80, .dport = 40000}))
                            : static_cast<Bytes>(eth() / ipv6({.src = f.vip, .dst = f.client}) /
                                                 tcp({.sport = 80, .dport = 40000}));
    const Bytes quoted(answer.begin() + 14, answer.begin() + 14 + (v4 ? 28 : 48));
    const auto error = icmp({.type = static_cast<std::uint8_t>(v4 ? 3 : 2),
                             .code = static_cast<std::uint8_t>(v4 ? 4 : 0),
                             .rest = 1400,
                             .data = quoted});
    const Bytes in =
        v4 ? static_cast<Bytes>(eth() / ipv4({.src = "192.0.2.1", .dst = f.vip}) / error)
           : static_cast<Bytes>(eth() / ipv6({.src = "2001:db8::1", .dst = f.vip}) / error);
    EXPECT_EQ(run(in).packet().dst, f.node);
  }
  EXPECT_EQ(count(VD_ENCAPSULATED), 2u);
}

TEST_F(XdpTunnel, AnEchoToAVipIsAnswered) {
  for (const Family& f : kFamilies) {
    add(f, IPPROTO_TCP, 80);
    const bool v4 = is_v4(addr(f.vip));
    const auto echo = icmp({.type = static_cast<std::uint8_t>(v4 ? 8 : 128), .data = Bytes(5, 7)});
    const XdpResult out = run(f.to(f.vip) / echo);
    ASSERT_EQ(out.verdict, static_cast<std::uint32_t>(XDP_TX));
    EXPECT_EQ(out.packet().src, f.vip);
    EXPECT_EQ(out.packet().dst, f.client);
    EXPECT_EQ(out.packet().type, v4 ? 0 : 129);
    EXPECT_TRUE(out.packet().checksums_ok);
    EXPECT_EQ(out.packet().payload, Bytes(5, 7));
    EXPECT_EQ(out.packet().eth_dst, Eth{}.src);

    const Bytes other = f.to(f.own) / echo;
    EXPECT_EQ(run(other).out, other) << "this machine's own addresses answer for themselves";
  }
  EXPECT_EQ(count(VD_ECHOED), 2u);
}

}  // namespace
}  // namespace viaduct::bpftest
