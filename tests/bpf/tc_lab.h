// SPDX-License-Identifier: Apache-2.0
// The tc programs under BPF_PROG_TEST_RUN: packet in; verdict, packet out and counters.
#pragma once

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/pkt_cls.h>
#include <tc_lb.skel.h>

#include <memory>
#include <string>

#include "tests/bpf/lab.h"
#include "tests/bpf/maps.h"
#include "tests/support/packet.h"

namespace viaduct::bpftest {

inline constexpr testing::Mac kViaduct0Mac{0x02, 0x76, 0x64, 0, 0, 0x01};
inline constexpr int kPass = TC_ACT_UNSPEC;
inline constexpr int kRedirect = TC_ACT_REDIRECT;
inline constexpr int kDrop = TC_ACT_SHOT;

// What the translated flow of a client's port 40000 has: that port's neighbour (bpf/lib/flow.h).
inline constexpr std::uint16_t kNatPort = 40001;

struct Result {
  int verdict = 0;
  testing::Bytes out;
  testing::Parsed packet() const { return testing::parse(out); }
};

class TcLab : public ::testing::Test {
 protected:
  void SetUp() override {
    VD_REQUIRE_PRIVILEGE();
    skeleton_ = tc_lb__open();
    ASSERT_NE(skeleton_, nullptr);
    prepare();
    unpin_maps(skeleton_->obj);
    skeleton_->rodata->vd_viaduct0_ifindex = viaduct0_ifindex_;
    std::copy(kViaduct0Mac.begin(), kViaduct0Mac.end(), skeleton_->rodata->vd_viaduct0_mac);
    ASSERT_EQ(tc_lb__load(skeleton_), 0);
    maps_ = std::make_unique<Maps>(skeleton_->obj);
  }
  void TearDown() override { tc_lb__destroy(skeleton_); }
  virtual void prepare() {}

  Maps& maps() { return *maps_; }

  // A container's packet at the host's side of its link.
  Result request(const testing::Bytes& in) { return run(skeleton_->progs.vd_tc_request, in, true); }
  // A packet on its way into a container.
  Result to_container(const testing::Bytes& in) {
    return run(skeleton_->progs.vd_tc_reply, in, false);
  }
  // A packet on its way out of an uplink.
  Result to_uplink(const testing::Bytes& in) { return to_container(in); }
  // A packet that an uplink received.
  Result from_uplink(const testing::Bytes& in) {
    return run(skeleton_->progs.vd_tc_uplink, in, true);
  }
  // A packet that the host routed to a VIP.
  Result host(const testing::Bytes& in) { return run(skeleton_->progs.vd_tc_host, in, false); }

  Result run(const bpf_program* program, const testing::Bytes& in, bool ingress) {
    Result result;
    result.out.resize(in.size() + 512);
    __sk_buff context{};
    context.ifindex = 1;
    context.ingress_ifindex = ingress ? 1 : 0;
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.data(), .data_out = result.out.data(),
                .data_size_in = static_cast<__u32>(in.size()),
                .data_size_out = static_cast<__u32>(result.out.size()), .ctx_in = &context,
                .ctx_size_in = sizeof context);
    EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
    result.out.resize(opts.data_size_out);
    result.verdict = static_cast<int>(opts.retval);
    return result;
  }

  tc_lb* skeleton_ = nullptr;
  std::unique_ptr<Maps> maps_;
  std::uint32_t viaduct0_ifindex_ = 1;
};

}  // namespace viaduct::bpftest
