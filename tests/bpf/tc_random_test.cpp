// SPDX-License-Identifier: Apache-2.0
// Packets of pure chance, and good ones with a few bytes changed, through every tc program: each is
// counted once, and what a program says is not its own leaves as it came.
#include <gtest/gtest.h>

#include <random>

#include "tests/bpf/tc_lab.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

constexpr vd_reason kUntouched[] = {VD_NOT_IP, VD_NOT_L4, VD_FRAGMENT, VD_TRUNCATED, VD_NOT_VIP};

constexpr std::size_t kLeast = 54;  // the kernel makes no skb of less than Ethernet and IP

class TcRandom : public TcLab {
 protected:
  void SetUp() override {
    TcLab::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
    maps().add({"11.0.0.1", 53, IPPROTO_UDP, {{"203.0.113.5", 5353}}});
    maps().add({"fd01:c::1", 80, IPPROTO_TCP, {{"2001:db8:1::5", 8080}}});
  }
  std::uint64_t untouched(vd_hook hook) {
    std::uint64_t sum = 0;
    for (const vd_reason reason : kUntouched) sum += maps().count(hook, reason);
    return sum;
  }
  Bytes random_packet() {
    static const Bytes kSeeds[] = {
        eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.data = "hello"}),
        eth() / ipv4({.dst = "11.0.0.1"}) / udp(),
        eth() / ipv4({.dst = "203.0.113.9"}) / udp(),
        eth() / ipv4({.dst = "11.0.0.1"}) / icmp({.type = 3, .data = Bytes(40, 0x45)}),
        eth() / ipv6({.dst = "fd01:c::1"}) / tcp(),
        eth() / ipv6({.dst = "fd01:c::1", .extensions = {{0, 0}, {44, 0}}}) / tcp(),
    };
    Bytes packet;
    if (random_() % 4 == 0) {
      packet.resize(kLeast + random_() % 200);
      for (auto& byte : packet) byte = static_cast<std::uint8_t>(random_());
      if (random_() % 2) packet[12] = 0x08, packet[13] = 0;
      return packet;
    }
    packet = kSeeds[random_() % std::size(kSeeds)];
    for (unsigned n = random_() % 6; n > 0; --n)
      packet[random_() % packet.size()] = static_cast<std::uint8_t>(random_());
    if (packet.size() > kLeast && random_() % 4 == 0)
      packet.resize(kLeast + random_() % (packet.size() - kLeast + 1));
    return packet;
  }
  std::mt19937 random_{20261122};
};

TEST_F(TcRandom, EachIsCountedOnceAndForeignTrafficIsUntouched) {
  const struct {
    const bpf_program* program;
    vd_hook hook;
    bool ingress;
  } hooks[] = {{skeleton_->progs.vd_tc_request, VD_HOOK_REQUEST, true},
               {skeleton_->progs.vd_tc_reply, VD_HOOK_REPLY, false},
               {skeleton_->progs.vd_tc_uplink, VD_HOOK_UPLINK, true},
               {skeleton_->progs.vd_tc_host, VD_HOOK_HOST, false}};
  std::uint64_t runs = 0;
  for (int i = 0; i < 3000; ++i) {
    const Bytes packet = random_packet();
    for (const auto& one : hooks) {
      const std::uint64_t before = untouched(one.hook);
      const Result out = run(one.program, packet, one.ingress);
      ++runs;
      if (untouched(one.hook) == before) continue;
      ASSERT_EQ(out.verdict, kPass);
      ASSERT_EQ(out.out, packet);
    }
  }
  EXPECT_EQ(maps().counted(), runs);
}

}  // namespace
}  // namespace viaduct::bpftest
