// SPDX-License-Identifier: Apache-2.0
// The tc programs on real links, with real kernels' sockets, strict reverse path filters and
// offloads. The lab's namespace is the host; c1 and c2 are containers behind veths; "remote" is
// another machine behind the uplink up0. No socket hook is attached here, so every packet to a VIP
// meets a tc program.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <tc_lb.skel.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "tests/bpf/lab.h"
#include "tests/bpf/maps.h"
#include "tests/bpf/sockets.h"
#include "tests/support/packet.h"

namespace viaduct::bpftest {
namespace {

struct Place {
  const char* name;
  const char* v4;
  const char* v6;
};
constexpr Place kHost{"host", "198.51.100.200", "2001:db8:9::1"};
constexpr Place kContainer1{"c1", "192.0.2.11", "2001:db8:2::11"};
constexpr Place kContainer2{"c2", "192.0.2.12", "2001:db8:2::12"};
constexpr Place kRemote{"remote", "203.0.113.5", "2001:db8:1::5"};
constexpr const char* kVip4 = "11.0.0.1";
constexpr const char* kVip6 = "fd01:c::1";

void shell(const std::string& commands) {
  ASSERT_EQ(std::system(("set -e; " + commands).c_str()), 0) << commands;
}

void add_container(const Place& at) {
  const std::string ns = at.name, link = "h" + ns;
  shell("ip netns add " + ns + "; ip link add " + link + " type veth peer name eth0 netns " + ns +
        "; ip link set " + link + " up; ip addr add 192.0.2.254/32 dev " + link +
        "; ip -6 addr add fe80::1/64 dev " + link + " nodad; ip route add " + at.v4 + " dev " +
        link + "; ip -6 route add " + at.v6 + " dev " + link);
  shell("ip -n " + ns + " link set lo up; ip -n " + ns + " link set eth0 up; ip -n " + ns +
        " addr add " + at.v4 + "/32 dev eth0; ip -n " + ns +
        " route add 192.0.2.254 dev eth0; ip -n " + ns +
        " route add default via 192.0.2.254; ip -n " + ns + " -6 addr add " + at.v6 +
        "/128 dev eth0 nodad; ip -n " + ns + " -6 route add default via fe80::1 dev eth0");
}

void build() {
  shell(std::string("ip addr add ") + kHost.v4 + "/32 dev lo; ip -6 addr add " + kHost.v6 +
        "/128 dev lo nodad");
  shell(
      "ip link add viaduct0 type veth peer name viaduct0p; ip link set viaduct0 address "
      "02:76:64:00:00:01 arp off up; "
      "ip link set viaduct0p arp off up");
  shell(std::string("ip route add 11.0.0.0/24 dev viaduct0 src ") + kHost.v4 +
        "; ip -6 route add fd01:c::/64 dev viaduct0 src " + kHost.v6);
  add_container(kContainer1);
  add_container(kContainer2);
  shell(
      "ip netns add remote; ip link add up0 type veth peer name eth0 netns remote; ip link set up0 "
      "up; "
      "ip addr add 203.0.113.1/24 dev up0; ip -6 addr add 2001:db8:1::1/64 dev up0 nodad; "
      "ip -n remote link set lo up; ip -n remote link set eth0 up; ip -n remote addr add "
      "203.0.113.5/24 dev eth0; "
      "ip -n remote -6 addr add 2001:db8:1::5/64 dev eth0 nodad; ip -n remote route add default "
      "via 203.0.113.1; "
      "ip -n remote -6 route add default via 2001:db8:1::1");
  shell(
      "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; "
      "for i in all viaduct0 hc1 hc2 up0; do echo 1 > /proc/sys/net/ipv4/conf/$i/rp_filter; done");
}

void demolish() {
  EXPECT_EQ(
      std::system("for n in c1 c2 remote; do ip netns del $n; done; ip link del viaduct0; "
                  "ip addr del 198.51.100.200/32 dev lo; ip -6 addr del 2001:db8:9::1/128 dev lo; "
                  "for l in hc1 hc2 up0; do ip link del $l 2>/dev/null; done; true"),
      0);
}

// Runs `body` in a place's network namespace; sockets stay where they were made.
template <typename Body>
auto in(const Place& place, Body body) {
  const int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (place.name != kHost.name) {
    const int there = open((std::string("/run/netns/") + place.name).c_str(), O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(setns(there, CLONE_NEWNET), 0);
    close(there);
  }
  auto result = body();
  EXPECT_EQ(setns(home, CLONE_NEWNET), 0);
  close(home);
  return result;
}

Socket socket_in(const Place& place, int family, int type) {
  return in(place, [&] { return Socket(family, type); });
}

class TcLive : public ::testing::Test {
 protected:
  void SetUp() override {
    VD_REQUIRE_PRIVILEGE();
    build();
    skeleton_ = tc_lb__open();
    ASSERT_NE(skeleton_, nullptr);
    unpin_maps(skeleton_->obj);
    skeleton_->rodata->vd_viaduct0_ifindex = if_nametoindex("viaduct0");
    constexpr std::uint8_t kMac[] = {0x02, 0x76, 0x64, 0, 0, 0x01};
    std::copy(std::begin(kMac), std::end(kMac), skeleton_->rodata->vd_viaduct0_mac);
    ASSERT_EQ(tc_lb__load(skeleton_), 0);
    maps_ = std::make_unique<Maps>(skeleton_->obj);
    attach("hc1", skeleton_->progs.vd_tc_request, skeleton_->progs.vd_tc_reply);
    attach("hc2", skeleton_->progs.vd_tc_request, skeleton_->progs.vd_tc_reply);
    attach("up0", skeleton_->progs.vd_tc_uplink, skeleton_->progs.vd_tc_reply);
    attach("viaduct0", nullptr, skeleton_->progs.vd_tc_host);
  }
  void TearDown() override {
    tc_lb__destroy(skeleton_);
    if (maps_) demolish();
  }
  // Either program may be null.
  void attach(const char* link, const bpf_program* ingress, const bpf_program* egress) {
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(if_nametoindex(link)),
                .attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
    ASSERT_EQ(bpf_tc_hook_create(&hook), 0) << link;
    for (const auto& [point, program] :
         {std::pair{BPF_TC_INGRESS, ingress}, {BPF_TC_EGRESS, egress}}) {
      if (program == nullptr) continue;
      hook.attach_point = point;
      LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(program));
      ASSERT_EQ(bpf_tc_attach(&hook, &opts), 0) << link;
    }
  }

  tc_lb* skeleton_ = nullptr;
  std::unique_ptr<Maps> maps_;
};

struct Path {
  const Place* client;
  const Place* backend;
  bool v6;
};

// A listening socket in the backend's place and its VIP on the same port.
Socket serve(Maps& maps, const Path& path, int type) {
  const std::string address = path.v6 ? path.backend->v6 : path.backend->v4;
  Socket server = socket_in(*path.backend, path.v6 ? AF_INET6 : AF_INET, type);
  EXPECT_EQ(server.bind({address, 0}), 0) << address;
  if (type == SOCK_STREAM) {
    EXPECT_EQ(listen(server.fd(), 16), 0);
  }
  const auto proto = static_cast<std::uint8_t>(type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
  maps.add({path.v6 ? kVip6 : kVip4, 80, proto, {{address, server.local().port()}}});
  return server;
}

// Who the backend must see: the client itself, or the VIP where client and backend are one.
std::string seen_address(const Path& path) {
  if (path.client == path.backend) return path.v6 ? kVip6 : kVip4;
  return path.v6 ? path.client->v6 : path.client->v4;
}

std::string only_address(const std::string& address_and_port) {
  return address_and_port.substr(0, address_and_port.find(' '));
}

void expect_tcp(Maps& maps, const Path& path) {
  Socket server = serve(maps, path, SOCK_STREAM);
  Socket client = socket_in(*path.client, path.v6 ? AF_INET6 : AF_INET, SOCK_STREAM);
  ASSERT_EQ(client.connect({path.v6 ? kVip6 : kVip4, 80}), 0);
  auto [connection, from] = server.accept();
  EXPECT_EQ(only_address(from.text()), seen_address(path));
  ASSERT_EQ(client.send("question"), 0);
  EXPECT_EQ(connection.receive().first, "question");
  ASSERT_EQ(connection.send("answer"), 0);
  EXPECT_EQ(client.receive().first, "answer");
  connection.close();
  EXPECT_EQ(client.receive().first, "") << "the FIN arrives";
}

void expect_udp(Maps& maps, const Path& path) {
  Socket server = serve(maps, path, SOCK_DGRAM);
  const SockAddr vip(path.v6 ? kVip6 : kVip4, 80);
  Socket client = socket_in(*path.client, path.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(client.send_to("question", vip), 0);
    auto [question, from] = server.receive();
    EXPECT_EQ(question, "question");
    EXPECT_EQ(only_address(from.text()), seen_address(path));
    ASSERT_EQ(server.send_to("answer", from), 0);
    auto [answer, source] = client.receive();
    EXPECT_EQ(answer, "answer");
    EXPECT_EQ(source.text(), vip.text());
  }
}

constexpr const Place* kClients[] = {&kHost, &kContainer1};
constexpr const Place* kBackends[] = {&kHost, &kContainer1, &kContainer2, &kRemote};

void each_path(const std::function<void(const Path&)>& body) {
  for (const Place* client : kClients)
    for (const Place* backend : kBackends)
      for (const bool v6 : {false, true}) {
        SCOPED_TRACE(std::string(client->name) + " to " + backend->name + (v6 ? " IPv6" : " IPv4"));
        body({client, backend, v6});
      }
}

TEST_F(TcLive, TcpReachesEveryBackendFromEveryClient) {
  each_path([&](const Path& path) { expect_tcp(*maps_, path); });
}

TEST_F(TcLive, UdpReachesEveryBackendFromEveryClient) {
  each_path([&](const Path& path) { expect_udp(*maps_, path); });
}

TEST_F(TcLive, LargeTransfersSurviveSegmentationOffload) {
  std::string sent(4 << 20, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 >> 3);
  each_path([&](const Path& path) {
    Socket server = serve(*maps_, path, SOCK_STREAM);
    Socket client = socket_in(*path.client, path.v6 ? AF_INET6 : AF_INET, SOCK_STREAM);
    ASSERT_EQ(client.connect({path.v6 ? kVip6 : kVip4, 80}), 0);
    auto accepted = server.accept();
    Socket& connection = accepted.first;
    std::thread echo([&connection] {
      char buffer[65536];
      for (ssize_t n = 0; (n = recv(connection.fd(), buffer, sizeof buffer, 0)) > 0;)
        if (send(connection.fd(), buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL) != n) break;
      shutdown(connection.fd(), SHUT_WR);
    });
    std::thread writer([&client, &sent] {
      EXPECT_EQ(send(client.fd(), sent.data(), sent.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(sent.size()));
      shutdown(client.fd(), SHUT_WR);
    });
    std::string received(sent.size(), '\0');
    EXPECT_EQ(recv(client.fd(), received.data(), received.size(), MSG_WAITALL),
              static_cast<ssize_t>(sent.size()));
    EXPECT_TRUE(received == sent);
    writer.join();
    echo.join();
  });
}

TEST_F(TcLive, RefusalsArriveAtTheClient) {
  for (const bool v6 : {false, true}) {
    const std::string vip = v6 ? kVip6 : kVip4;
    const int family = v6 ? AF_INET6 : AF_INET;
    maps_->add({vip, 80, IPPROTO_TCP, {}});
    maps_->add({vip, 80, IPPROTO_UDP, {}});
    for (const Place* client : kClients) {
      for (const std::uint16_t port :
           {std::uint16_t{80}, std::uint16_t{81}}) {  // no backend; no service
        SCOPED_TRACE(vip + " " + client->name + " " + std::to_string(port));
        Socket tcp = socket_in(*client, family, SOCK_STREAM);
        EXPECT_EQ(tcp.connect({vip, port}), ECONNREFUSED);
        Socket udp = socket_in(*client, family, SOCK_DGRAM);
        ASSERT_EQ(udp.connect({vip, port}), 0);
        ASSERT_EQ(udp.send("x"), 0);
        EXPECT_EQ(udp.receive().first, "error " + std::to_string(ECONNREFUSED));
      }
    }
  }
}

// The VIP's backend has no socket on its port: its kernel says so, and the client must hear it
// about the VIP.
TEST_F(TcLive, PortUnreachableOfABackendReachesTheClient) {
  each_path([&](const Path& path) {
    const std::string vip = path.v6 ? kVip6 : kVip4;
    maps_->add({vip, 80, IPPROTO_UDP, {{path.v6 ? path.backend->v6 : path.backend->v4, 9}}});
    Socket client = socket_in(*path.client, path.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM);
    ASSERT_EQ(client.connect({vip, 80}), 0);
    ASSERT_EQ(client.send("x"), 0);
    EXPECT_EQ(client.receive().first, "error " + std::to_string(ECONNREFUSED));
  });
}

TEST_F(TcLive, ABackendWithoutARouteIsReportedToTheClient) {
  for (const Place* client : kClients) {
    maps_->add({kVip4, 80, IPPROTO_TCP, {{"203.0.114.1", 9}}});
    Socket socket = socket_in(*client, AF_INET, SOCK_STREAM);
    const int error = socket.connect({kVip4, 80});
    EXPECT_TRUE(error == ENETUNREACH || error == EHOSTUNREACH || error == ECONNREFUSED)
        << client->name << " " << error;
  }
}

TEST_F(TcLive, ARemovedBackendResetsItsConnections) {
  for (const Place* client : kClients) {
    Socket server = socket_in(kContainer2, AF_INET, SOCK_STREAM);
    ASSERT_EQ(server.bind({kContainer2.v4, 0}), 0);
    ASSERT_EQ(listen(server.fd(), 16), 0);
    const ServiceIds ids =
        maps_->add({kVip4, 80, IPPROTO_TCP, {{kContainer2.v4, server.local().port()}}});
    Socket socket = socket_in(*client, AF_INET, SOCK_STREAM);
    ASSERT_EQ(socket.connect({kVip4, 80}), 0);
    maps_->remove_backend(ids.backends[0]);
    ASSERT_EQ(socket.send("x"), 0);
    EXPECT_EQ(socket.receive().first, "error " + std::to_string(ECONNRESET)) << client->name;
  }
}

TEST_F(TcLive, AVipAnswersEchoRequests) {
  for (const bool v6 : {false, true}) {
    for (const Place* client : kClients) {
      SCOPED_TRACE(std::string(client->name) + (v6 ? " IPv6" : " IPv4"));
      Socket socket = in(*client, [v6] {
        return v6 ? Socket(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6))
                  : Socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
      });
      const testing::Icmp echo{.type = static_cast<std::uint8_t>(v6 ? 128 : 8),
                               .data = testing::Bytes(56, 0x5a)};
      const testing::Bytes sent = testing::icmp(echo);
      const SockAddr vip(v6 ? kVip6 : kVip4, 0);
      ASSERT_EQ(socket.connect(vip), 0);
      ASSERT_EQ(socket.send(std::string(sent.begin(), sent.end())), 0);
      const auto [data, from] = socket.receive();
      EXPECT_EQ(from.text(), vip.text());
      EXPECT_EQ(data.substr(data.size() - 56), std::string(56, 0x5a));
      EXPECT_EQ(static_cast<std::uint8_t>(data[v6 ? 0 : 20]), v6 ? 129 : 0);
    }
  }
}

}  // namespace
}  // namespace viaduct::bpftest
