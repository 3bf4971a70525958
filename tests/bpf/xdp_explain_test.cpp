// SPDX-License-Identifier: Apache-2.0
// The dry copy of the XDP program decides as the program does, says so, and leaves everything as
// it was.
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/bpf/dry.h"
#include "tests/bpf/xdp_lab.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

class XdpExplain : public XdpLab {
 protected:
  void SetUp() override {
    XdpLab::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    dry_ = xdp_lb__open();
    ASSERT_NE(dry_, nullptr);
    dry_->rodata->vd_dry = 1;
    set_own(*dry_);
    share_maps(dry_->obj, skeleton_->obj);
    ASSERT_EQ(xdp_lb__load(dry_), 0);
    spec_ = {"11.0.0.1",   80, IPPROTO_TCP, {{"203.0.113.1", 8080}, {"203.0.113.2", 8080}},
             VD_PICK_HASH, 64};
  }
  void TearDown() override {
    xdp_lb__destroy(dry_);
    XdpLab::TearDown();
  }

  static Bytes packet(std::uint16_t sport, std::uint8_t flags = kSyn) {
    return eth() / ipv4({.src = "192.0.2.100", .dst = "11.0.0.1"}) /
           tcp({.sport = sport, .flags = flags});
  }
  vd_explanation said_of(const Bytes& in) {
    clear_explanation(maps());
    EXPECT_EQ(run_program(dry_->progs.vd_xdp_uplink, in).verdict, XDP_PASS);
    return read_explanation(maps());
  }
  // Every set of the flow table.
  std::vector<vd_flow_set> flow_sets() {
    std::vector<vd_flow_set> sets(VD_FLOW_SETS);
    for (std::uint32_t i = 0; i < sets.size(); ++i)
      EXPECT_EQ(bpf_map_lookup_elem(maps().fd("vd_flow_set_v1"), &i, &sets[i]), 0);
    return sets;
  }
  bool is_same(const std::vector<vd_flow_set>& a, const std::vector<vd_flow_set>& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(vd_flow_set)) == 0;
  }

  xdp_lb* dry_ = nullptr;
  ServiceSpec spec_;
};

TEST_F(XdpExplain, ATunnelledFlowIsToldAndNothingIsStoredOrCounted) {
  const ServiceIds ids = maps().add(spec_);
  put_on_node(ids, kNode4);
  const vd_explanation said = said_of(packet(40000));
  EXPECT_EQ(said.reason, VD_ENCAPSULATED);
  EXPECT_EQ(said.found, VD_FOUND_PICK);
  EXPECT_EQ(said.pick, VD_PICK_HASH);
  EXPECT_EQ(said.service_id, ids.service);
  EXPECT_EQ(said.ifindex, uplink_);
  EXPECT_EQ(ntohs(said.dport), 8080);
  EXPECT_EQ(text(said.dst), text(maps().backend(said.backend_id).addr));
  EXPECT_EQ(maps().counted(), 0u);
  for (const std::uint32_t id : ids.backends) EXPECT_EQ(maps().load(id).flows, 0u);
}

TEST_F(XdpExplain, AsTheProgramItselfDoes) {
  const ServiceIds ids = maps().add(spec_);
  put_on_node({ids.service, {ids.backends[0]}}, kNode4);
  put_on_node({ids.service, {ids.backends[1]}}, kNode6);
  for (std::uint16_t port = 1024; port < 1124; ++port) {
    const vd_explanation said = said_of(packet(port));
    EXPECT_EQ(run(packet(port)).packet().dst, said.backend_id == ids.backends[0] ? kNode4 : kNode6);
  }
}

TEST_F(XdpExplain, BackendsOfThisMachineAreLeftToTcByName) {
  const ServiceIds ids = maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.1", 8080}}});
  const vd_explanation said = said_of(packet(40000));
  EXPECT_EQ(said.reason, VD_LOCAL);
  EXPECT_EQ(said.backend_id, ids.backends[0]);
  maps().remove_backend(ids.backends[0]);
  EXPECT_EQ(said_of(packet(40000)).reason, VD_LOCAL);
  EXPECT_EQ(said_of(packet(40000)).backend_id, 0u) << "tc refuses";
}

TEST_F(XdpExplain, AMachineWhoseLinkAddressIsNotKnownIsNamed) {
  const ServiceIds ids = maps().add(spec_);
  put_on_node(ids, "198.18.0.77");
  const vd_explanation said = said_of(packet(40000));
  EXPECT_EQ(said.reason, VD_NO_NEIGHBOUR);
  EXPECT_NE(said.backend_id, 0u);
}

TEST_F(XdpExplain, WhatIsNoVipIsNone) {
  maps().add(spec_);
  const vd_explanation said =
      said_of(eth() / ipv4({.src = "192.0.2.100", .dst = "11.0.0.9"}) / tcp());
  EXPECT_EQ(said.reason, VD_NOT_VIP);
  EXPECT_EQ(said.service_id, 0u);
}

TEST_F(XdpExplain, FlowsFromBeforeAChangeAreToldApartAndStayAsTheyAre) {
  const ServiceIds ids = maps().add(spec_);
  put_on_node(ids, kNode4);
  maps().change_slots(spec_, {ids.backends[1]});
  std::uint16_t moved = 1024;  // a flow that the change concerns
  while (said_of(packet(moved, kAck)).backend_id != ids.backends[0]) ++moved;
  const auto before = flow_sets();
  EXPECT_EQ(said_of(packet(moved, kAck)).found, VD_FOUND_FORMER);
  EXPECT_EQ(said_of(packet(moved)).found, VD_FOUND_PICK);
  EXPECT_EQ(said_of(packet(moved)).backend_id, ids.backends[1]) << "one that begins";
  EXPECT_TRUE(is_same(flow_sets(), before)) << "a dry copy stores no flow";
  run(packet(moved, kAck));
  const auto stored = flow_sets();
  EXPECT_FALSE(is_same(stored, before)) << "the program does";
  EXPECT_EQ(said_of(packet(moved, kAck)).found, VD_FOUND_FLOW);
  EXPECT_TRUE(is_same(flow_sets(), stored)) << "and a dry copy does not move it";
}

}  // namespace
}  // namespace viaduct::bpftest
