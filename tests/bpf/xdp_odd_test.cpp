// SPDX-License-Identifier: Apache-2.0
// Other traffic, and packets that are cut off or lie, pass the XDP program untouched.
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <random>

#include "tests/bpf/xdp_lab.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

class XdpOdd : public XdpLab {
 protected:
  void SetUp() override {
    XdpLab::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    put_on_node(maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}}), kNode4);
    put_on_node(maps().add({"fd01:c::1", 80, IPPROTO_TCP, {{"2001:db8:1::5", 8080}}}), kNode6);
  }
  void expect_untouched(const Bytes& in) {
    const XdpResult out = run(in);
    EXPECT_EQ(out.verdict, static_cast<std::uint32_t>(XDP_PASS));
    EXPECT_EQ(out.out, in);
  }
};

TEST_F(XdpOdd, OtherTrafficPasses) {
  const Bytes others[] = {
      eth({.type = 0x0806}) / raw({.data = Bytes(60, 1)}),
      eth({.type = 0x8100}) / raw({.data = Bytes(60, 1)}),
      eth() / ipv4({.dst = "203.0.113.9"}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.dport = 81}),
      eth() / ipv4({.dst = "11.0.0.1"}) / udp({.dport = 80}),
      eth() / ipv4({.dst = "11.0.0.1"}) / raw(),
      eth() / ipv4({.dst = "203.0.113.9"}) / icmp(),
      eth() / ipv4({.dst = "11.0.0.1"}) / icmp({.type = 5, .data = Bytes(28, 0)}),
      eth() / ipv6({.dst = "2001:db8:1::9"}) / tcp(),
      eth() / ipv6({.dst = "fd01:c::1"}) / udp({.dport = 80}),
      eth() /
          ipv6({.dst = "fd01:c::1", .extensions = {{0, 0}, {60, 0}, {60, 0}, {60, 0}, {60, 0}}}) /
          tcp(),
  };
  for (const Bytes& other : others) expect_untouched(other);
  EXPECT_EQ(maps().counted(), std::size(others));
}

TEST_F(XdpOdd, OptionsAndExtensionHeadersAreSteppedOver) {
  const Bytes four = eth() / ipv4({.dst = "11.0.0.1", .options = Bytes(8, 1)}) / tcp();
  EXPECT_EQ(run(four).packet().dst, kNode4);
  const Bytes six = eth() / ipv6({.dst = "fd01:c::1", .extensions = {{0, 0}, {60, 2}}}) / tcp();
  EXPECT_EQ(run(six).packet().dst, kNode6);
}

TEST_F(XdpOdd, EveryPrefixOfAPacketPasses) {
  const Bytes whole[] = {eth() / ipv4({.dst = "11.0.0.1"}) / tcp(),
                         eth() / ipv6({.dst = "fd01:c::1"}) / tcp()};
  for (const Bytes& packet : whole)
    for (std::size_t size = 14; size < packet.size(); ++size)
      expect_untouched(Bytes(packet.begin(), packet.begin() + static_cast<long>(size)));
}

TEST_F(XdpOdd, LyingHeadersPass) {
  const Bytes lies[] = {
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 41}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 39}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 0}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 65535}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .header_words = 4}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .header_words = 15}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.header_words = 4}),
      eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.header_words = 6}),
      eth() / ipv6({.dst = "fd01:c::1", .payload_length = 60}) / tcp(),
      eth() / ipv6({.dst = "fd01:c::1", .payload_length = 19}) / tcp(),
      eth({.type = 0x86dd}) / ipv4({.dst = "11.0.0.1"}) / tcp(),
  };
  for (const Bytes& lie : lies) expect_untouched(lie);
  EXPECT_EQ(maps().counted(), std::size(lies));
}

// Packets of pure chance, and good ones with a few bytes changed: what is not for a VIP passes byte
// for byte, and each is counted once.
TEST_F(XdpOdd, RandomPackets) {
  std::mt19937 random(20261122);
  const Bytes seeds[] = {
      eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.data = "hello"}),
      eth() / ipv4({.dst = "203.0.113.9"}) / udp(),
      eth() / ipv4({.dst = "11.0.0.1"}) / icmp({.type = 3, .data = Bytes(40, 0x45)}),
      eth() / ipv6({.dst = "fd01:c::1", .extensions = {{0, 0}, {44, 0}}}) / tcp(),
      eth() / ipv4({.src = kNode4, .dst = kOwn4, .proto = IPPROTO_IPIP}) /
          raw({.proto = IPPROTO_IPIP, .data = Bytes(60, 0x45)}),
  };
  std::uint64_t runs = 0;
  for (int i = 0; i < 20000; ++i) {
    Bytes packet;
    if (i % 4 == 0) {
      packet.resize(14 + random() % 200);
      for (auto& byte : packet) byte = static_cast<std::uint8_t>(random());
      if (random() % 2) packet[12] = 0x08, packet[13] = 0;
    } else {
      packet = seeds[random() % std::size(seeds)];
      for (unsigned n = random() % 6; n > 0; --n)
        packet[random() % packet.size()] = static_cast<std::uint8_t>(random());
      if (random() % 4 == 0) packet.resize(14 + random() % (packet.size() - 13));
    }
    const XdpResult out = run(packet);
    ++runs;
    ASSERT_LE(out.verdict, static_cast<std::uint32_t>(XDP_REDIRECT));
    if (out.verdict == XDP_PASS && out.out.size() == packet.size()) {
      ASSERT_EQ(out.out, packet);
    }
  }
  EXPECT_EQ(maps().counted(), runs);
}

}  // namespace
}  // namespace viaduct::bpftest
