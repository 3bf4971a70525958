// SPDX-License-Identifier: Apache-2.0
// Packets from other machines for backends of this one, and their answers.
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tests/bpf/tc_lab.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

class TcUplink : public TcLab {
 protected:
  static Packet from_client(const std::string& dst) {
    return eth() / ipv4({.src = "192.0.2.100", .dst = dst});
  }
};

TEST_F(TcUplink, AnOutsideClientReachesABackendAndGetsTheVipsAnswer) {
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  const Result there = from_uplink(from_client("11.0.0.1") / tcp());
  EXPECT_EQ(there.verdict, kPass);
  EXPECT_EQ(there.packet().tuple(), "192.0.2.100 40001 > 203.0.113.5 8080");
  EXPECT_TRUE(there.packet().checksums_ok);
  const Bytes answer = eth() / ipv4({.src = "203.0.113.5", .dst = "192.0.2.100"}) /
                       tcp({.sport = 8080, .dport = kNatPort, .flags = kSyn | kAck});
  EXPECT_EQ(request(answer).out, answer) << "the container's link leaves it alone";
  const Result back = to_uplink(answer);
  EXPECT_EQ(back.packet().tuple(), "11.0.0.1 80 > 192.0.2.100 40000");
  EXPECT_TRUE(back.packet().checksums_ok);
}

TEST_F(TcUplink, OnlyBackendsOfThisMachineGetIt) {
  const ServiceIds ids = maps().add(
      {"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}, {"203.0.113.6", 8080}}, VD_PICK_HASH});
  maps().set_node(ids.backends[0], 1);
  for (std::uint16_t port = 2000; port < 2100; ++port)
    EXPECT_EQ(from_uplink(from_client("11.0.0.1") / tcp({.sport = port})).packet().dst,
              "203.0.113.6");
  maps().set_node(ids.backends[1], 1);
  const Result refused = from_uplink(from_client("11.0.0.1") / tcp({.sport = 3000}));
  EXPECT_EQ(refused.verdict, kRedirect);
  EXPECT_EQ(refused.packet().flags, kRst | kAck);
  EXPECT_EQ(maps().count(VD_HOOK_UPLINK, VD_NO_LOCAL_BACKEND), 1u);
}

TEST_F(TcUplink, AConnectionWhoseBackendIsGoneIsReset) {
  const ServiceIds ids = maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  from_uplink(from_client("11.0.0.1") / tcp());
  maps().remove_backend(ids.backends[0]);
  EXPECT_EQ(from_uplink(from_client("11.0.0.1") / tcp({.flags = kAck})).packet().flags, kRst);
}

TEST_F(TcUplink, OtherTrafficPassesUntouched) {
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  for (const Bytes& in : {static_cast<Bytes>(from_client("203.0.113.5") / tcp()),
                          static_cast<Bytes>(from_client("11.0.0.1") / tcp({.dport = 81})),
                          static_cast<Bytes>(from_client("11.0.0.1") / raw())})
    EXPECT_EQ(from_uplink(in).out, in);
}

std::uint32_t loopback_mtu() {
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  EXPECT_EQ(ioctl(fd, SIOCGIFMTU, &request), 0);
  close(fd);
  return static_cast<std::uint32_t>(request.ifr_mtu);
}

TEST_F(TcUplink, TheAnswerToASynFromOutsideLeavesRoomForTheTunnel) {
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  from_uplink(from_client("11.0.0.1") / tcp());
  // NOP, then the segment size at an odd offset; and without the NOP at an even one.
  for (const bool odd : {false, true}) {
    Bytes answer = eth() / ipv4({.src = "203.0.113.5", .dst = "192.0.2.100"}) /
                   tcp({.sport = 8080,
                        .dport = kNatPort,
                        .flags = kSyn | kAck,
                        .data = odd ? std::string("\x01\x02\x04\xff\xd7\x00\x00\x00", 8)
                                    : std::string("\x02\x04\xff\xd7\x01\x01\x01\x00", 8),
                        .header_words = 7});
    const Result back = to_uplink(answer);
    EXPECT_TRUE(back.packet().checksums_ok);
    const std::size_t at = 14 + 20 + 20 + (odd ? 3 : 2);
    EXPECT_EQ(packet_detail::get16(back.out, at), std::min(65495u, loopback_mtu() - 80))
        << "20 + 20 and 40 of a tunnel";
  }
}

}  // namespace
}  // namespace viaduct::bpftest
