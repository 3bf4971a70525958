// SPDX-License-Identifier: Apache-2.0
// Fragments follow their first one, to the backend and back.
#include <gtest/gtest.h>

#include "tests/bpf/tc_families.h"
#include "tests/support/fragments.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

struct Family {
  const char* vip;
  const char* backend;
  const char* client;
  Packet to(const std::string& from, const std::string& dst) const {
    return is_v4(addr(vip)) ? eth() / ipv4({.src = from, .dst = dst, .fragment = 0})
                            : eth() / ipv6({.src = from, .dst = dst});
  }
};

const Family kFamilies[] = {{"11.0.0.1", "203.0.113.5", "192.0.2.100"},
                            {"fd01:c::1", "2001:db8:1::5", "2001:db8::100"}};

class TcFragment : public TcLab {};

TEST_F(TcFragment, BothHalvesOfADatagramReachTheBackendAndTheAnswerComesBack) {
  for (const Family& f : kFamilies) {
    maps().add({f.vip, 53, IPPROTO_UDP, {{f.backend, 5353}}});
    const std::string data(100, 'x');
    const auto [first, second] =
        in_fragments(f.to(f.client, f.vip) / udp({.dport = 53, .data = data}), 48);
    const Result one = request(first), two = request(second);
    const Parsed there = parse(joined(one.out, two.out));
    EXPECT_EQ(there.tuple(),
              std::string(f.client) + " " + std::to_string(kNatPort) + " > " + f.backend + " 5353");
    EXPECT_TRUE(there.checksums_ok);

    const auto [answer1, answer2] = in_fragments(
        f.to(f.backend, f.client) / udp({.sport = 5353, .dport = kNatPort, .data = data}), 48, 9);
    const Parsed back = parse(joined(to_container(answer1).out, to_container(answer2).out));
    EXPECT_EQ(back.tuple(), std::string(f.vip) + " 53 > " + f.client + " 40000");
    EXPECT_TRUE(back.checksums_ok);
  }
}

TEST_F(TcFragment, OneThatOvertakesItsFirstPasses) {
  for (const Family& f : kFamilies) {
    maps().add({f.vip, 53, IPPROTO_UDP, {{f.backend, 5353}}});
    const auto parts =
        in_fragments(f.to(f.client, f.vip) / udp({.dport = 53, .data = std::string(100, 'x')}), 48);
    EXPECT_EQ(request(parts[1]).out, parts[1]);
  }
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_FRAGMENT), 2u);
}

TEST_F(TcFragment, OtherTrafficsFragmentsPassAndAreNotRemembered) {
  const auto parts = in_fragments(
      eth() / ipv4({.dst = "203.0.113.9", .fragment = 0}) / udp({.data = std::string(100, 'x')}),
      48);
  for (const Bytes& part : parts) EXPECT_EQ(request(part).out, part);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NOT_VIP), 1u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_FRAGMENT), 1u);
}

TEST_F(TcFragment, ARefusedDatagramIsAnsweredOnceAndItsRestDropped) {
  maps().add({"11.0.0.1", 53, IPPROTO_UDP, {}});
  const auto parts = in_fragments(eth() / ipv4({.dst = "11.0.0.1", .fragment = 0}) /
                                      udp({.dport = 53, .data = std::string(100, 'x')}),
                                  48);
  EXPECT_EQ(request(parts[0]).packet().type, 3);
  EXPECT_EQ(request(parts[1]).out, parts[1]);
}

}  // namespace
}  // namespace viaduct::bpftest
