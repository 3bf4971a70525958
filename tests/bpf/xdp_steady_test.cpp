// SPDX-License-Identifier: Apache-2.0
// Which backend's machine a flow goes to, and that it stays there over a change.
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <algorithm>
#include <map>
#include <string>

#include "tests/bpf/xdp_lab.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

constexpr std::uint16_t kFirstPort = 1024;

class XdpSteady : public XdpLab {
 protected:
  void SetUp() override {
    XdpLab::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    spec_ = {"11.0.0.1",   80, IPPROTO_TCP, {{"203.0.113.1", 80}, {"203.0.113.2", 80}},
             VD_PICK_HASH, 64};
  }
  // Backends are told apart by their machines, which share a neighbour.
  void add() {
    ids_ = maps().add(spec_);
    for (std::size_t i = 0; i < ids_.backends.size(); ++i) {
      const auto node = static_cast<std::uint32_t>(i + 1);
      // An address of the next hop's network: the outer destination shows the machine.
      const vd_node value{addr(i == 0 ? kNode4 : kNode6)};
      ASSERT_EQ(bpf_map_update_elem(maps().fd("vd_node_v1"), &node, &value, BPF_ANY), 0);
      maps().set_node(ids_.backends[i], node);
    }
  }
  std::string send(std::uint16_t sport, std::uint8_t flags,
                   const std::string& src = "192.0.2.100") {
    const XdpResult out =
        run(eth() / ipv4({.src = src, .dst = "11.0.0.1"}) / tcp({.sport = sport, .flags = flags}));
    return out.verdict == XDP_TX ? out.packet().dst : "verdict " + std::to_string(out.verdict);
  }

  ServiceSpec spec_;
  ServiceIds ids_;
};

TEST_F(XdpSteady, AFlowGoesToOneBackendAndFlowsToAll) {
  add();
  std::map<std::string, int> share;
  for (std::uint16_t port = kFirstPort; port < kFirstPort + 1000; ++port) {
    const std::string where = send(port, kSyn);
    EXPECT_EQ(send(port, kAck), where);
    share[where]++;
  }
  EXPECT_EQ(share.size(), 2u);
  EXPECT_NEAR(share[kNode4], 500, 100);
}

TEST_F(XdpSteady, ByClientIfThePolicySaysSo) {
  spec_.affinity_by = VD_AFFINITY_CLIENT;
  spec_.affinity_s = 60;
  add();
  std::map<std::string, int> share;
  for (int client = 1; client < 200; ++client) {
    const std::string src = "192.0.2." + std::to_string(client);
    const std::string where = send(kFirstPort, kSyn, src);
    EXPECT_EQ(send(kFirstPort + 1, kSyn, src), where);
    share[where]++;
  }
  EXPECT_EQ(share.size(), 2u);
}

TEST_F(XdpSteady, WhatBeganBeforeAChangeStaysAndWhatBeginsAfterItMoves) {
  add();
  std::map<std::uint16_t, std::string> before;
  for (std::uint16_t port = kFirstPort; port < kFirstPort + 200; ++port)
    before[port] = send(port, kSyn);
  maps().set_weight(ids_.backends[0], 0);
  maps().change_slots(spec_, {ids_.backends[1]});
  for (const auto& [port, where] : before)
    EXPECT_EQ(send(port, kAck), where) << "drained, not gone";
  for (std::uint16_t port = 5000; port < 5200; ++port) {
    EXPECT_EQ(send(port, kSyn), kNode6);
    EXPECT_EQ(send(port, kAck), kNode6) << "it began after the change";
    EXPECT_EQ(send(port, kAck), kNode6);
  }
  maps().remove_backend(ids_.backends[0]);
  for (const auto& [port, where] : before) EXPECT_EQ(send(port, kAck), kNode6) << "it is gone";
}

TEST_F(XdpSteady, APortThatIsUsedAgainBeginsAnew) {
  add();
  for (std::uint16_t port = kFirstPort; port < kFirstPort + 100; ++port) send(port, kSyn);
  maps().change_slots(spec_, {ids_.backends[1]});
  for (std::uint16_t port = kFirstPort; port < kFirstPort + 100; ++port) {
    send(port, kAck);
    send(port, kAck);  // known now
    EXPECT_EQ(send(port, kSyn), kNode6);
    EXPECT_EQ(send(port, kAck), kNode6);
  }
}

TEST_F(XdpSteady, AFlowStaysOverMoreThanOneChange) {
  add();
  std::map<std::uint16_t, std::string> before;
  for (std::uint16_t port = kFirstPort; port < kFirstPort + 100; ++port)
    before[port] = send(port, kSyn);
  const auto packets = [&] {
    for (const auto& [port, where] : before) EXPECT_EQ(send(port, kAck), where);
    for (const auto& [port, where] : before) EXPECT_EQ(send(port, kAck), where);
  };
  maps().change_slots(spec_, {ids_.backends[1]});
  packets();
  maps().change_slots(spec_, {ids_.backends[0], ids_.backends[1]});
  packets();
  maps().change_slots(spec_, {ids_.backends[0]});
  packets();
}

TEST_F(XdpSteady, UdpThatIsHeardOfLongAfterAChangeGoesByTheNewSlots) {
  spec_.proto = IPPROTO_UDP;
  add();
  const auto datagram = [&](std::uint16_t port) {
    return run(eth() / ipv4({.dst = "11.0.0.1"}) / udp({.sport = port, .dport = 80})).packet().dst;
  };
  maps().change_slots(spec_, {ids_.backends[1]});
  std::map<std::uint16_t, std::string> soon;
  for (std::uint16_t port = 2000; port < 2100; ++port) {
    soon[port] = datagram(port);
    EXPECT_EQ(datagram(port), soon[port]);
  }
  EXPECT_NE(
      std::count_if(soon.begin(), soon.end(), [](const auto& one) { return one.second == kNode4; }),
      0)
      << "they may be old";
  maps().age_change(spec_, VD_UDP_BEFORE_S + 1);
  for (const auto& [port, where] : soon) EXPECT_EQ(datagram(port), where) << "they are known";
  for (std::uint16_t port = 3000; port < 3100; ++port) EXPECT_EQ(datagram(port), kNode6);
}

TEST_F(XdpSteady, AFloodOfBeginningsMovesNoFlowThatIsEstablished) {
  add();
  maps().set_weight(ids_.backends[0], 0);
  maps().change_slots(spec_, {ids_.backends[1]});
  for (std::uint16_t port = 2000; port < 2200; ++port) {
    ASSERT_EQ(send(port, kSyn), kNode6);
    ASSERT_EQ(send(port, kAck), kNode6);
  }
  for (int i = 0; i < 60000; ++i)
    send(static_cast<std::uint16_t>(1024 + i % 60000), kSyn,
         "198.51.100." + std::to_string(1 + i % 250));
  for (std::uint16_t port = 2000; port < 2200; ++port) EXPECT_EQ(send(port, kAck), kNode6);
}

}  // namespace
}  // namespace viaduct::bpftest
