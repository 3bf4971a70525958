// SPDX-License-Identifier: Apache-2.0
// Real sockets in the lab's network namespace and cgroup, with every sock_lb program attached to
// that cgroup.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <sock_lb.skel.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "tests/bpf/lab.h"
#include "tests/bpf/maps.h"
#include "tests/bpf/sockets.h"

namespace viaduct::bpftest {
namespace {

// Listens on a port of the kernel's choice.
class Server {
 public:
  Server(const std::string& address, int type)
      : address_(address), socket_(SockAddr(address, 0).family(), type) {
    const SockAddr at(address, 0);
    EXPECT_EQ(socket_.bind(at), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(listen(socket_.fd(), 128), 0);
    }
    port_ = socket_.local().port();
  }
  BackendSpec spec(std::uint16_t weight = 1) const { return {address_, port_, weight}; }
  std::string text() const { return address_ + " " + std::to_string(port_); }
  // The client's address as the backend sees it.
  std::string accept_one() {
    const auto [connection, from] = socket_.accept();
    return connection.fd() < 0 ? "error " + std::to_string(errno) : from.text();
  }
  // Answers one datagram with "re: " and its data.
  std::string answer_one() {
    auto [data, from] = socket_.receive();
    EXPECT_EQ(socket_.send_to("re: " + data, from), 0);
    return data;
  }
  bool has_datagram() {
    char byte;
    return recv(socket_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }

 private:
  std::string address_;
  Socket socket_;
  std::uint16_t port_ = 0;
};

class SockLb : public ::testing::Test {
 protected:
  void SetUp() override {
    VD_REQUIRE_PRIVILEGE();
    skeleton_ = sock_lb__open();
    ASSERT_NE(skeleton_, nullptr);
    configure();
    unpin_maps(skeleton_->obj);
    ASSERT_EQ(sock_lb__load(skeleton_), 0);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton_->obj) {
      bpf_link* link = bpf_program__attach_cgroup(program, cgroup_fd());
      ASSERT_NE(link, nullptr) << bpf_program__name(program);
      links_.emplace_back(link);
    }
    maps_ = std::make_unique<Maps>(skeleton_->obj);
  }
  void TearDown() override {
    links_.clear();
    sock_lb__destroy(skeleton_);
  }
  virtual void configure() {}

  Maps& maps() { return *maps_; }
  std::uint32_t open_count(std::uint32_t backend) { return maps_->load(backend).open; }

  struct Detach {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  };
  sock_lb* skeleton_ = nullptr;
  std::vector<std::unique_ptr<bpf_link, Detach>> links_;
  std::unique_ptr<Maps> maps_;
};

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

TEST_F(SockLb, AnUnconnectedSocketStaysWithItsBackendAndMovesWhenItIsGone) {
  Server a("192.0.2.1", SOCK_DGRAM);
  Server b("192.0.2.2", SOCK_DGRAM);
  const ServiceIds ids = maps().add({"11.0.0.1", 53, IPPROTO_UDP, {a.spec(), b.spec()}});
  Socket client(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(client.send_to("0", {"11.0.0.1", 53}), 0);
  const bool at_a = a.has_datagram();
  Server& mine = at_a ? a : b;
  Server& other = at_a ? b : a;
  const std::uint32_t mine_id = ids.backends[at_a ? 0 : 1];
  mine.answer_one();
  for (int i = 1; i < 20; ++i) {
    ASSERT_EQ(client.send_to(std::to_string(i), {"11.0.0.1", 53}), 0);
    EXPECT_EQ(mine.answer_one(), std::to_string(i));
  }
  maps().set_weight(mine_id, 0);
  ASSERT_EQ(client.send_to("drained", {"11.0.0.1", 53}), 0);
  EXPECT_EQ(mine.answer_one(), "drained") << "weight 0 keeps who is talking";
  maps().remove_backend(mine_id);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(client.send_to("gone", {"11.0.0.1", 53}), 0);
    EXPECT_EQ(other.answer_one(), "gone");
  }
}

TEST_F(SockLb, DrainedBackendsGetNoNewConnections) {
  Server a("192.0.2.1", SOCK_STREAM);
  Server b("192.0.2.2", SOCK_STREAM);
  for (const vd_pick pick : {VD_PICK_RANDOM, VD_PICK_HASH, VD_PICK_LEAST_LOADED}) {
    const auto port = static_cast<std::uint16_t>(80 + pick);
    const ServiceIds ids = maps().add({"11.0.0.1", port, IPPROTO_TCP, {a.spec(), b.spec()}, pick});
    maps().set_weight(ids.backends[0], 0);  // its slots still name it
    for (int i = 0; i < 20; ++i) {
      Socket client(AF_INET, SOCK_STREAM);
      ASSERT_EQ(client.connect({"11.0.0.1", port}), 0);
    }
    EXPECT_EQ(maps().load(ids.backends[0]).connects, 0u);
    EXPECT_EQ(maps().load(ids.backends[1]).connects, 20u);
  }
}

TEST_F(SockLb, AnIdThatWasHandedOutAgainKeepsItsOwnCount) {
  Server server("192.0.2.1", SOCK_STREAM);
  const ServiceIds ids = maps().add({"11.0.0.1", 80, IPPROTO_TCP, {server.spec()}});
  Socket old_client(AF_INET, SOCK_STREAM);
  ASSERT_EQ(old_client.connect({"11.0.0.1", 80}), 0);
  maps().replace_backend(ids.backends[0], server.spec());
  Socket new_client(AF_INET, SOCK_STREAM);
  ASSERT_EQ(new_client.connect({"11.0.0.1", 80}), 0);
  EXPECT_EQ(open_count(ids.backends[0]), 1u);
  old_client.close();
  EXPECT_EQ(open_count(ids.backends[0]), 1u);
  new_client.close();
  EXPECT_EQ(open_count(ids.backends[0]), 0u);
}

TEST_F(SockLb, ASocketWithMoreVipsThanAreKeptForgetsTheLeastRecentlyUsed) {
  Server server("192.0.2.1", SOCK_DGRAM);
  const auto vip = [](int i) { return "11.0.1." + std::to_string(i); };
  for (int i = 0; i <= VD_UDP_PEERS_MAX; ++i)
    maps().add({vip(i), 53, IPPROTO_UDP, {server.spec()}});
  Socket client(AF_INET, SOCK_DGRAM);
  for (int i = 0; i < VD_UDP_PEERS_MAX; ++i) ASSERT_EQ(client.send_to("x", {vip(i), 53}), 0);
  EXPECT_EQ(maps().count(VD_HOOK_SOCK, VD_UDP_PEER_EVICTED), 0u);
  ASSERT_EQ(client.send_to("x", {vip(VD_UDP_PEERS_MAX), 53}), 0);
  EXPECT_EQ(maps().count(VD_HOOK_SOCK, VD_UDP_PEER_EVICTED), 1u);
  for (int i = 0; i <= VD_UDP_PEERS_MAX; ++i) EXPECT_EQ(server.answer_one(), "x");
}

TEST_F(SockLb, TcpSocketsCarryNoUdpStorage) {
  Server server("192.0.2.1", SOCK_STREAM);
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {server.spec()}});
  Socket client(AF_INET, SOCK_STREAM);
  ASSERT_EQ(client.connect({"11.0.0.1", 80}), 0);
  const int fd = client.fd();
  vd_sock value{};
  EXPECT_EQ(bpf_map_lookup_elem(maps().fd("vd_sock_v1"), &fd, &value), 0);
  EXPECT_EQ(text(value.peer.vip), "11.0.0.1");
  EXPECT_EQ(value.proto, static_cast<std::uint32_t>(IPPROTO_TCP));
  vd_sock_udp udp{};
  EXPECT_NE(bpf_map_lookup_elem(maps().fd("vd_sock_udp_v1"), &fd, &udp), 0);
}

// Shares of 3000 picks against weights 1, 2 and 7: chi-square with 2 degrees of freedom, p = 10^-6.
void expect_shares(Maps& maps, const ServiceIds& ids, double total) {
  const double weights[] = {1, 2, 7};
  double chi_square = 0;
  for (int i = 0; i < 3; ++i) {
    const double expected = total * weights[i] / 10;
    const double seen =
        static_cast<double>(maps.load(ids.backends[static_cast<std::size_t>(i)]).connects);
    chi_square += (seen - expected) * (seen - expected) / expected;
  }
  EXPECT_LT(chi_square, 27.6);
}

TEST_F(SockLb, RandomAndHashPicksFollowTheWeights) {
  for (const vd_pick pick : {VD_PICK_RANDOM, VD_PICK_HASH}) {
    const auto port = static_cast<std::uint16_t>(53 + pick);
    const ServiceIds ids =
        maps().add({"11.0.0.1",
                    port,
                    IPPROTO_UDP,
                    {{"192.0.2.1", 9, 1}, {"192.0.2.2", 9, 2}, {"192.0.2.3", 9, 7}},
                    pick,
                    1000});
    for (int i = 0; i < 3000; ++i) {
      Socket client(AF_INET, SOCK_DGRAM);
      ASSERT_EQ(client.connect({"11.0.0.1", port}), 0);
    }
    expect_shares(maps(), ids, 3000);
  }
}

TEST_F(SockLb, LeastLoadedLevelsOpenConnectionsByWeight) {
  const ServiceIds ids =
      maps().add({"11.0.0.1",
                  53,
                  IPPROTO_UDP,
                  {{"192.0.2.1", 9, 1}, {"192.0.2.2", 9, 1}, {"192.0.2.3", 9, 2}},
                  VD_PICK_LEAST_LOADED});
  vd_load busy{};
  busy.open = 300;  // as if it had them before
  maps().set_load(ids.backends[0], busy);
  std::vector<Socket> clients;
  for (int i = 0; i < 300; ++i) {
    clients.emplace_back(AF_INET, SOCK_DGRAM);
    ASSERT_EQ(clients.back().connect({"11.0.0.1", 53}), 0);
  }
  EXPECT_LT(maps().load(ids.backends[0]).connects, 60u)
      << "only when both random slots are its own";
  const double light = open_count(ids.backends[1]), heavy = open_count(ids.backends[2]);
  EXPECT_NEAR(heavy / light, 2.0, 0.5);
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
