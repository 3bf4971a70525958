// SPDX-License-Identifier: Apache-2.0
// The XDP program under BPF_PROG_TEST_RUN: packet in, with headroom full of 0xff; verdict, packet
// out and counters.
#pragma once

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <xdp_lb.skel.h>

#include <memory>
#include <string>

#include "tests/bpf/lab.h"
#include "tests/bpf/maps.h"
#include "tests/support/packet.h"

namespace viaduct::bpftest {

// What tests/bpf/xdp_lab.cpp sets up in the lab's namespace: two veth pairs, a neighbour behind the
// first one, and a device that VIP routes lead into.
inline constexpr const char* kOwn4 = "198.18.0.1";
inline constexpr const char* kOwn6 = "2001:db8:f::1";
inline constexpr const char* kNode4 = "198.18.0.2";
inline constexpr const char* kNode6 = "2001:db8:f::2";
inline constexpr testing::Mac kNodeMac{0x02, 0, 0, 0, 0x0f, 0x02};

struct XdpResult {
  std::uint32_t verdict = 0;
  testing::Bytes out;
  testing::Parsed packet() const { return testing::parse(out); }
  // What is inside of an IPv4 or IPv6 tunnel without options.
  testing::Parsed inner() const {
    const std::size_t header = out[14] >> 4 == 4 ? 20 : 40;
    return testing::parse_ip(
        testing::Bytes(out.begin() + static_cast<long>(14 + header), out.end()));
  }
};

class XdpLab : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  Maps& maps() { return *maps_; }
  // Makes the service's backends those of another machine.
  void put_on_node(const ServiceIds& ids, const std::string& address);
  XdpResult run(const testing::Bytes& in) {
    return run_program(skeleton_->progs.vd_xdp_uplink, in);
  }
  XdpResult run_program(const bpf_program* program, const testing::Bytes& in);
  // Before load: where this machine's tunnels end.
  static void set_own(xdp_lb& skeleton);
  std::uint64_t count(vd_reason reason) { return maps_->count(VD_HOOK_XDP, reason); }

  xdp_lb* skeleton_ = nullptr;
  std::unique_ptr<Maps> maps_;
  std::uint32_t nodes_ = 0;
  std::uint32_t uplink_ = 0;
};

}  // namespace viaduct::bpftest
