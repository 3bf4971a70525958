// SPDX-License-Identifier: Apache-2.0
// Which backend a socket gets and how long it keeps it.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <time.h>

#include <set>
#include <string>
#include <vector>

#include "tests/bpf/sock_lab.h"

namespace viaduct::bpftest {
namespace {

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
  for (const vd_pick pick : {VD_PICK_RANDOM, VD_PICK_HASH, VD_PICK_LEAST_LOADED, VD_PICK_SOURCE,
                             VD_PICK_ROUND_ROBIN, VD_PICK_PEAK_EWMA}) {
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

TEST_F(SockLb, RoundRobinTakesTheSlotsInTurn) {
  const ServiceIds ids =
      maps().add({"11.0.0.1",
                  53,
                  IPPROTO_UDP,
                  {{"192.0.2.1", 9, 1}, {"192.0.2.2", 9, 2}, {"192.0.2.3", 9, 7}},
                  VD_PICK_ROUND_ROBIN,
                  10});
  for (int i = 0; i < 1000; ++i) {
    Socket client(AF_INET, SOCK_DGRAM);
    ASSERT_EQ(client.connect({"11.0.0.1", 53}), 0);
  }
  EXPECT_EQ(maps().load(ids.backends[0]).connects, 100u);
  EXPECT_EQ(maps().load(ids.backends[1]).connects, 200u);
  EXPECT_EQ(maps().load(ids.backends[2]).connects, 700u);
}

TEST_F(SockLb, SourceHashKeepsANamespaceAtOneBackendOfEachService) {
  std::set<std::size_t> used;
  for (std::uint16_t port = 1; port <= 40; ++port) {
    const ServiceIds ids = maps().add({"11.0.0.1",
                                       port,
                                       IPPROTO_UDP,
                                       {{"192.0.2.1", 9}, {"192.0.2.2", 9}, {"192.0.2.3", 9}},
                                       VD_PICK_SOURCE,
                                       16});
    for (int i = 0; i < 10; ++i) {
      Socket client(AF_INET, SOCK_DGRAM);
      ASSERT_EQ(client.connect({"11.0.0.1", port}), 0);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const auto connects = maps().load(ids.backends[i]).connects;
      EXPECT_TRUE(connects == 0 || connects == 10) << connects;
      if (connects == 10) used.insert(i);
    }
  }
  EXPECT_EQ(used.size(), 3u) << "services do not all choose alike";
}

TEST_F(SockLb, PeakEwmaPrefersTheQuickAndForgetsOldTimes) {
  const ServiceIds ids = maps().add(
      {"11.0.0.1", 53, IPPROTO_UDP, {{"192.0.2.1", 9}, {"192.0.2.2", 9}}, VD_PICK_PEAK_EWMA});
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const auto now_s = static_cast<std::uint32_t>(now.tv_sec);
  const auto slow_share = [&](std::uint32_t age_s) {
    vd_load slow{}, quick{};
    slow.ewma_us = 100000;
    slow.ewma_at_s = now_s - age_s;
    quick.ewma_us = 100;
    quick.ewma_at_s = now_s;
    maps().set_load(ids.backends[0], slow);
    maps().set_load(ids.backends[1], quick);
    for (int i = 0; i < 200; ++i) {
      Socket client(AF_INET, SOCK_DGRAM);  // closed at once: open connections do not count
      EXPECT_EQ(client.connect({"11.0.0.1", 53}), 0);
    }
    return maps().load(ids.backends[0]).connects;
  };
  EXPECT_LT(slow_share(0), 90u) << "only when both random slots are its own";
  EXPECT_GT(slow_share(60), 110u) << "what it was a minute ago counts no more: it is tried";
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

}  // namespace
}  // namespace viaduct::bpftest
