// SPDX-License-Identifier: Apache-2.0
// Packets of the host itself on viaduct0, with a link to another network in the lab's namespace.
#include <gmock/gmock.h>
#include <net/if.h>

#include <cstdlib>

#include "tests/bpf/tc_lab.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

struct Family {
  const char* name;
  const char* host;  // the host's own address; 192.0.2.1 and 2001:db8::1 are on lo
  const char* vip;
  const char* near;  // on the link up0
  const char* gone;  // an unreachable route
};

const Family kFamilies[] = {
    {"v4", "192.0.2.1", "11.0.0.1", "203.0.113.5", "198.51.100.77"},
    {"v6", "2001:db8::1", "fd01:c::1", "2001:db8:1::5", "2001:db8:ffff::1"},
};

Packet ip(const std::string& src, const std::string& dst) {
  if (src.find(':') == std::string::npos) return eth() / ipv4({.src = src, .dst = dst});
  return eth() / ipv6({.src = src, .dst = dst});
}

class TcHost : public TcLab, public ::testing::WithParamInterface<Family> {
 protected:
  void prepare() override {
    for (const char* command : {
             "ip link add viaduct0 type veth peer name viaduct0p",
             "ip link set viaduct0 address 02:76:64:00:00:01 arp off up && ip link set viaduct0p "
             "arp off up",
             "ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up",
             "ip addr add 203.0.113.1/24 dev up0 && ip -6 addr add 2001:db8:1::1/64 dev up0 nodad",
             "ip route add unreachable 198.51.100.77 && ip -6 route add unreachable "
             "2001:db8:ffff::1",
             "echo 1 > /proc/sys/net/ipv4/conf/viaduct0/forwarding",
             "echo 1 > /proc/sys/net/ipv6/conf/viaduct0/forwarding",
         })
      ASSERT_EQ(std::system(command), 0) << command;
    viaduct0_ifindex_ = if_nametoindex("viaduct0");
  }
  void TearDown() override {
    TcLab::TearDown();
    EXPECT_EQ(
        std::system("ip link del viaduct0 2>/dev/null; ip link del up0 2>/dev/null;"
                    "ip route flush type unreachable; ip -6 route flush type unreachable; true"),
        0);
  }

  const Family& f() { return GetParam(); }
  Packet syn() { return ip(f().host, f().vip) / tcp(); }
  std::string tuple(const std::string& a, int aport, const std::string& b, int bport) {
    return a + " " + std::to_string(aport) + " > " + b + " " + std::to_string(bport);
  }
};

INSTANTIATE_TEST_SUITE_P(Families, TcHost, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(TcHost, ABackendElsewhereIsReachedAndAnswersThroughViaduct0) {
  const ServiceIds ids = maps().add({f().vip, 80, IPPROTO_TCP, {{f().near, 8080}}});
  const Result sent = host(syn());
  EXPECT_EQ(sent.verdict, kRedirect);
  EXPECT_EQ(sent.packet().tuple(), tuple(f().host, kNatPort, f().near, 8080));
  EXPECT_TRUE(sent.packet().checksums_ok);
  const Bytes reply =
      ip(f().near, f().host) / tcp({.sport = 8080, .dport = kNatPort, .flags = kSyn | kAck});
  for (const Result& at_host : {from_uplink(reply), request(reply)}) {
    EXPECT_EQ(at_host.verdict, kRedirect);
    EXPECT_EQ(at_host.packet().tuple(), tuple(f().vip, 80, f().host, 40000));
    EXPECT_EQ(at_host.packet().eth_dst, kViaduct0Mac);
    EXPECT_TRUE(at_host.packet().checksums_ok);
  }
  EXPECT_EQ(to_container(reply).out, reply) << "only where packets come in";
  EXPECT_EQ(host(ip(f().host, f().vip) / tcp({.flags = kAck})).packet().dst, f().near)
      << "a known flow";
  EXPECT_EQ(maps().load(ids.backends[0]).packets, 2u);
  EXPECT_EQ(maps().count(VD_HOOK_HOST, VD_FORWARDED), 2u);
}

TEST_P(TcHost, ABackendOnTheHostIsAHairpin) {
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().host, 5353}}});
  const Result at_backend = host(ip(f().host, f().vip) / udp());
  EXPECT_EQ(at_backend.verdict, kRedirect);
  EXPECT_EQ(at_backend.packet().tuple(), tuple(f().vip, 40000, f().host, 5353));
  EXPECT_EQ(at_backend.packet().eth_dst, kViaduct0Mac);
  EXPECT_TRUE(at_backend.packet().checksums_ok);
  const Result at_client = host(ip(f().host, f().vip) / udp({.sport = 5353, .dport = 40000}));
  EXPECT_EQ(at_client.verdict, kRedirect);
  EXPECT_EQ(at_client.packet().tuple(), tuple(f().vip, 53, f().host, 40000));
  EXPECT_EQ(at_client.packet().eth_dst, kViaduct0Mac);
  EXPECT_TRUE(at_client.packet().checksums_ok);
  EXPECT_EQ(host(ip(f().host, f().vip) / udp()).packet().tuple(), at_backend.packet().tuple());
  EXPECT_EQ(maps().count(VD_HOOK_HOST, VD_HAIRPINNED), 2u);
  EXPECT_EQ(maps().count(VD_HOOK_HOST, VD_REPLIED), 1u);
}

TEST_P(TcHost, HairpinsOfTwoHostAddressesDoNotCollide) {
  const char* other = f().name == std::string("v4") ? "192.0.2.2" : "2001:db8::2";
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().host, 8080}}});
  const Parsed first = host(syn()).packet();
  const Parsed second = host(ip(other, f().vip) / tcp()).packet();
  EXPECT_EQ(first.sport, 40000);
  EXPECT_NE(second.sport, 40000);
  const Bytes reply =
      ip(f().host, f().vip) / tcp({.sport = 8080, .dport = second.sport, .flags = kSyn | kAck});
  EXPECT_EQ(host(reply).packet().tuple(), tuple(f().vip, 80, other, 40000));
}

TEST_P(TcHost, APortWithoutAServiceIsRefusedIntoViaduct0) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().near, 8080}}});
  const Result rst = host(ip(f().host, f().vip) / tcp({.dport = 81}));
  EXPECT_EQ(rst.verdict, kRedirect);
  EXPECT_EQ(rst.packet().tuple(), tuple(f().vip, 81, f().host, 40000));
  EXPECT_EQ(rst.packet().flags, kRst | kAck);
  EXPECT_EQ(rst.packet().eth_dst, kViaduct0Mac);
  EXPECT_TRUE(rst.packet().checksums_ok);
  const Result error = host(ip(f().host, f().vip) / udp());
  EXPECT_EQ(error.verdict, kRedirect);
  EXPECT_EQ(error.packet().eth_dst, kViaduct0Mac);
  EXPECT_EQ(error.packet().src, f().vip);
  EXPECT_TRUE(error.packet().checksums_ok);
  const Result sctp = host(ip(f().host, f().vip) / raw({.proto = 132}));
  EXPECT_EQ(sctp.packet().src, f().vip);
  EXPECT_TRUE(sctp.packet().checksums_ok);
  EXPECT_EQ(maps().count(VD_HOOK_HOST, VD_NO_SERVICE), 3u);
}

TEST_P(TcHost, ABackendWithoutARouteIsRefused) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().gone, 8080}}});
  EXPECT_EQ(host(syn()).packet().flags, kRst | kAck);
  EXPECT_EQ(maps().count(VD_HOOK_HOST, VD_NO_ROUTE), 1u);
  EXPECT_EQ(maps().flows().size(), 0u);
}

TEST_P(TcHost, AnEchoIsAnswered) {
  const bool v4 = f().name == std::string("v4");
  const Bytes asked = ip(f().host, f().vip) / icmp({.type = static_cast<std::uint8_t>(v4 ? 8 : 128),
                                                    .data = Bytes(57, 0x5a)});
  const Result answered = host(asked);
  EXPECT_EQ(answered.verdict, kRedirect);
  EXPECT_EQ(answered.packet().src, f().vip);
  EXPECT_EQ(answered.packet().dst, f().host);
  EXPECT_EQ(answered.packet().type, v4 ? 0 : 129);
  EXPECT_EQ(answered.packet().payload, Bytes(57, 0x5a));
  EXPECT_EQ(answered.packet().eth_dst, kViaduct0Mac);
  EXPECT_TRUE(answered.packet().checksums_ok);
  EXPECT_EQ(maps().count(VD_HOOK_HOST, VD_ECHOED), 1u);
}

TEST_P(TcHost, MulticastIsLeftAlone) {
  const char* group = f().name == std::string("v4") ? "224.0.0.251" : "ff02::fb";
  const Bytes in = ip(f().host, group) / udp({.dport = 5353});
  const Result out = host(in);
  EXPECT_EQ(out.verdict, kPass);
  EXPECT_EQ(out.out, in);
}

}  // namespace
}  // namespace viaduct::bpftest
