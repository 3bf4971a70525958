// SPDX-License-Identifier: Apache-2.0
// What a client sees of a VIP: connect, send, receive, reconnect, refusal.
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>

#include "tests/bpf/sock_lab.h"

namespace viaduct::bpftest {
namespace {

// One row of {family of the socket, VIP as dialled, backend's address}.
struct Family {
  const char* name;
  int family;
  const char* dialled;  // what the client passes, and what getpeername must tell
  const char* vip;
  const char* backend;
};

const Family kFamilies[] = {
    {"v4", AF_INET, "11.0.0.1", "11.0.0.1", "192.0.2.1"},
    {"v6", AF_INET6, "fd01:c::1", "fd01:c::1", "2001:db8::1"},
    {"v4mapped", AF_INET6, "::ffff:11.0.0.1", "11.0.0.1", "192.0.2.1"},
};

class SockLbFamilies : public SockLb, public ::testing::WithParamInterface<Family> {};

INSTANTIATE_TEST_SUITE_P(All, SockLbFamilies, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(SockLbFamilies, TcpConnectReachesTheBackendAndGetpeernameTellsTheVip) {
  const Family& f = GetParam();
  Server server(f.backend, SOCK_STREAM);
  const ServiceIds ids = maps().add({f.vip, 80, IPPROTO_TCP, {server.spec()}});
  Socket client(f.family, SOCK_STREAM);
  ASSERT_EQ(client.connect({f.dialled, 80}), 0);
  const std::string local = client.local().text();
  const std::string seen = server.accept_one();
  EXPECT_EQ(f.family == AF_INET6 && f.vip != std::string(f.dialled) ? "::ffff:" + seen : seen,
            local)
      << "the backend sees the client's own address";
  EXPECT_EQ(client.peer(), std::string(f.dialled) + " 80");
  EXPECT_EQ(open_count(ids.backends[0]), 1u);
  EXPECT_EQ(maps().load(ids.backends[0]).connects, 1u);
  client.close();
  EXPECT_EQ(open_count(ids.backends[0]), 0u);
}

TEST_P(SockLbFamilies, ConnectedUdpTalksToTheBackendAndSeesTheVip) {
  const Family& f = GetParam();
  Server server(f.backend, SOCK_DGRAM);
  const ServiceIds ids = maps().add({f.vip, 53, IPPROTO_UDP, {server.spec()}});
  Socket client(f.family, SOCK_DGRAM);
  ASSERT_EQ(client.connect({f.dialled, 53}), 0);
  EXPECT_EQ(client.peer(), std::string(f.dialled) + " 53");
  ASSERT_EQ(client.send("one"), 0);
  EXPECT_EQ(server.answer_one(), "one");
  const auto [data, from] = client.receive();
  EXPECT_EQ(data, "re: one");
  EXPECT_EQ(from.text(), std::string(f.dialled) + " 53");
  EXPECT_EQ(open_count(ids.backends[0]), 1u);
  client.close();
  EXPECT_EQ(open_count(ids.backends[0]), 0u);
}

TEST_P(SockLbFamilies, UnconnectedUdpTalksToTheBackendAndSeesTheVip) {
  const Family& f = GetParam();
  Server server(f.backend, SOCK_DGRAM);
  const ServiceIds ids = maps().add({f.vip, 53, IPPROTO_UDP, {server.spec()}});
  Socket client(f.family, SOCK_DGRAM);
  for (const char* data : {"one", "two"}) {
    ASSERT_EQ(client.send_to(data, {f.dialled, 53}), 0);
    EXPECT_EQ(server.answer_one(), data);
    const auto [answer, from] = client.receive();
    EXPECT_EQ(answer, std::string("re: ") + data);
    EXPECT_EQ(from.text(), std::string(f.dialled) + " 53");
  }
  EXPECT_EQ(maps().load(ids.backends[0]).connects, 1u) << "the second datagram is no new pick";
  EXPECT_EQ(open_count(ids.backends[0]), 0u) << "an unconnected socket is no open connection";
}

TEST_P(SockLbFamilies, WithoutABackendEveryCallIsRefused) {
  const Family& f = GetParam();
  maps().add({f.vip, 80, IPPROTO_TCP, {}});
  maps().add({f.vip, 53, IPPROTO_UDP, {}});
  Socket tcp(f.family, SOCK_STREAM);
  EXPECT_EQ(tcp.connect({f.dialled, 80}), ECONNREFUSED);
  Socket udp(f.family, SOCK_DGRAM);
  EXPECT_EQ(udp.send_to("x", {f.dialled, 53}), ECONNREFUSED);
  EXPECT_EQ(udp.connect({f.dialled, 53}), ECONNREFUSED);
  EXPECT_EQ(maps().count(VD_HOOK_SOCK, VD_NO_BACKEND), 3u);
}

TEST_P(SockLbFamilies, AddressesThatAreNoVipAreUntouched) {
  const Family& f = GetParam();
  const std::string plain =
      f.vip == std::string(f.dialled) ? f.backend : std::string("::ffff:") + f.backend;
  Server tcp_server(f.backend, SOCK_STREAM);
  Server udp_server(f.backend, SOCK_DGRAM);
  maps().add({f.vip, 80, IPPROTO_TCP, {{f.backend, 1}}});
  Socket tcp(f.family, SOCK_STREAM);
  ASSERT_EQ(tcp.connect({plain, tcp_server.spec().port}), 0);
  EXPECT_EQ(tcp.peer(), plain + " " + std::to_string(tcp_server.spec().port));
  Socket udp(f.family, SOCK_DGRAM);
  ASSERT_EQ(udp.send_to("x", {plain, udp_server.spec().port}), 0);
  EXPECT_EQ(udp_server.answer_one(), "x");
  EXPECT_EQ(udp.receive().second.text(), plain + " " + std::to_string(udp_server.spec().port));
  EXPECT_EQ(maps().count(VD_HOOK_SOCK, VD_FORWARDED), 0u);
}

TEST_F(SockLb, AV4SocketAddressOnAnIpv6UdpSocketWorks) {
  Server server("192.0.2.1", SOCK_DGRAM);
  maps().add({"11.0.0.1", 53, IPPROTO_UDP, {server.spec()}});
  Socket client(AF_INET6, SOCK_DGRAM);
  ASSERT_EQ(client.send_to("one", {"11.0.0.1", 53}), 0);
  EXPECT_EQ(server.answer_one(), "one");
  EXPECT_EQ(client.receive().second.text(), "::ffff:11.0.0.1 53");
}

TEST_F(SockLb, PortAndProtocolArePartOfTheVip) {
  Server server("192.0.2.1", SOCK_STREAM);
  maps().add({"192.0.2.2", 80, IPPROTO_UDP, {server.spec()}});
  maps().add({"192.0.2.2", 81, IPPROTO_TCP, {server.spec()}});
  Socket other_protocol(AF_INET, SOCK_STREAM);
  EXPECT_EQ(other_protocol.connect({"192.0.2.2", 80}), ECONNREFUSED) << "the kernel's own refusal";
  Socket client(AF_INET, SOCK_STREAM);
  EXPECT_EQ(client.connect({"192.0.2.2", 81}), 0);
  EXPECT_EQ(maps().count(VD_HOOK_SOCK, VD_NOT_VIP), 1u);
}

TEST_F(SockLb, ReconnectingElsewhereReleasesTheOldBackend) {
  Server first("192.0.2.1", SOCK_DGRAM);
  Server second("192.0.2.2", SOCK_DGRAM);
  const ServiceIds a = maps().add({"11.0.0.1", 53, IPPROTO_UDP, {first.spec()}});
  const ServiceIds b = maps().add({"11.0.0.2", 53, IPPROTO_UDP, {second.spec()}});
  Socket client(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(client.connect({"11.0.0.1", 53}), 0);
  ASSERT_EQ(client.connect({"11.0.0.1", 53}), 0);
  EXPECT_EQ(open_count(a.backends[0]), 1u);
  ASSERT_EQ(client.connect({"11.0.0.2", 53}), 0);
  EXPECT_EQ(open_count(a.backends[0]), 0u);
  EXPECT_EQ(open_count(b.backends[0]), 1u);
  EXPECT_EQ(client.peer(), "11.0.0.2 53");
  ASSERT_EQ(client.connect({"192.0.2.1", first.spec().port}), 0);
  EXPECT_EQ(open_count(b.backends[0]), 0u);
  EXPECT_EQ(client.peer(), first.text());
  client.close();
  EXPECT_EQ(open_count(a.backends[0]), 0u);
  EXPECT_EQ(open_count(b.backends[0]), 0u);
}

TEST_F(SockLb, ConnectingDirectlyToTheBackendShowsTheBackend) {
  Server server("192.0.2.1", SOCK_DGRAM);
  maps().add({"11.0.0.1", 53, IPPROTO_UDP, {server.spec()}});
  Socket client(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(client.connect({"11.0.0.1", 53}), 0);
  ASSERT_EQ(client.connect({"192.0.2.1", server.spec().port}), 0);
  EXPECT_EQ(client.peer(), server.text());
  ASSERT_EQ(client.send("one"), 0);
  EXPECT_EQ(server.answer_one(), "one");
  EXPECT_EQ(client.receive().second.text(), server.text());
}

TEST_F(SockLb, DisconnectingForgetsTheVip) {
  Server server("192.0.2.1", SOCK_DGRAM);
  const ServiceIds ids = maps().add({"11.0.0.1", 53, IPPROTO_UDP, {server.spec()}});
  Socket client(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(client.connect({"11.0.0.1", 53}), 0);
  ASSERT_EQ(client.disconnect(), 0);
  EXPECT_EQ(client.peer(), "error " + std::to_string(ENOTCONN));
  // connect(AF_UNSPEC) runs no hook: the next call of the socket counts it out.
  ASSERT_EQ(client.send_to("one", {"192.0.2.1", server.spec().port}), 0);
  EXPECT_EQ(server.answer_one(), "one");
  EXPECT_EQ(client.receive().second.text(), server.text());
  EXPECT_EQ(open_count(ids.backends[0]), 0u);
  client.close();
  EXPECT_EQ(open_count(ids.backends[0]), 0u);
}

TEST_F(SockLb, ADisconnectedTcpSocketConnectsAgain) {
  Server server("192.0.2.1", SOCK_STREAM);
  const ServiceIds ids = maps().add({"11.0.0.1", 80, IPPROTO_TCP, {server.spec()}});
  Socket client(AF_INET, SOCK_STREAM);
  ASSERT_EQ(client.connect({"11.0.0.1", 80}), 0);
  ASSERT_EQ(client.disconnect(), 0);
  ASSERT_EQ(client.connect({"11.0.0.1", 80}), 0);
  EXPECT_EQ(open_count(ids.backends[0]), 1u);
  client.close();
  EXPECT_EQ(open_count(ids.backends[0]), 0u);
}

TEST_F(SockLb, ARefusedConnectLeavesAUdpSocketAsItWas) {
  Server server("192.0.2.1", SOCK_DGRAM);
  const ServiceIds ids = maps().add({"11.0.0.1", 53, IPPROTO_UDP, {server.spec()}});
  maps().add({"11.0.0.2", 53, IPPROTO_UDP, {}});
  Socket client(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(client.connect({"11.0.0.1", 53}), 0);
  EXPECT_EQ(client.connect({"11.0.0.2", 53}), ECONNREFUSED);
  EXPECT_EQ(client.peer(), "11.0.0.1 53");
  EXPECT_EQ(open_count(ids.backends[0]), 1u);
}

TEST_F(SockLb, AConnectedUdpSocketMayNameItsVipOnceMore) {
  Server a("192.0.2.1", SOCK_DGRAM);
  Server b("192.0.2.2", SOCK_DGRAM);
  maps().add({"11.0.0.1", 53, IPPROTO_UDP, {a.spec(), b.spec()}});
  for (int i = 0; i < 16; ++i) {
    Socket client(AF_INET, SOCK_DGRAM);
    ASSERT_EQ(client.connect({"11.0.0.1", 53}), 0);
    ASSERT_EQ(client.send_to("one", {"11.0.0.1", 53}), 0);
    Server& reached = a.has_datagram() ? a : b;
    EXPECT_EQ(reached.answer_one(), "one");
    const auto [data, from] = client.receive();
    EXPECT_EQ(data, "re: one")
        << "the answer comes from the backend that the socket is connected to";
    EXPECT_EQ(from.text(), "11.0.0.1 53");
  }
}

class SockLbOldKernel : public SockLb {
 protected:
  void configure() override { skeleton_->rodata->vd_has_set_retval = 0; }
};

TEST_F(SockLbOldKernel, RefusalIsEperm) {
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {}});
  Socket client(AF_INET, SOCK_STREAM);
  EXPECT_EQ(client.connect({"11.0.0.1", 80}), EPERM);
}

}  // namespace
}  // namespace viaduct::bpftest
