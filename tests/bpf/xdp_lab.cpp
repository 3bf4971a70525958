// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/xdp_lab.h"

#include <net/if.h>

#include <cstdlib>
#include <cstring>

namespace viaduct::bpftest {
namespace {

constexpr std::uint32_t kHeadroom = 32;  // the most that metadata may be

// The lab's namespace is the test process's own and has no other links.
void make_links() {
  static const char* const kCommands[] = {
      "ip link add uplink0 type veth peer name far0",
      "ip link add vip0 type veth peer name vip1",
      "ip link set uplink0 up",
      "ip link set far0 up",
      "ip link set vip0 up",
      "ip link set vip1 up",
      "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
      "ip address add 198.18.0.1/24 dev uplink0",
      "ip address add 2001:db8:f::1/64 dev uplink0 nodad",
      "ip neighbour replace 198.18.0.2 lladdr 02:00:00:00:0f:02 nud permanent dev uplink0",
      "ip neighbour replace 2001:db8:f::2 lladdr 02:00:00:00:0f:02 nud permanent dev uplink0",
      "ip route replace 11.0.0.0/24 dev vip0",
      "ip route replace fd01:c::/64 dev vip0",
  };
  for (const char* command : kCommands) ASSERT_EQ(std::system(command), 0) << command;
}

}  // namespace

void XdpLab::set_own(xdp_lb& skeleton) {
  const vd_addr own4 = addr(kOwn4), own6 = addr(kOwn6);
  skeleton.rodata->vd_own4 = own4.words[3];
  std::memcpy(skeleton.rodata->vd_own6, own6.words, sizeof own6);
  skeleton.rodata->vd_viaduct0_ifindex = if_nametoindex("vip0");
}

void XdpLab::SetUp() {
  VD_REQUIRE_PRIVILEGE();
  if (if_nametoindex("uplink0") == 0) make_links();
  uplink_ = if_nametoindex("uplink0");
  ASSERT_NE(uplink_, 0u);
  skeleton_ = xdp_lb__open();
  ASSERT_NE(skeleton_, nullptr);
  unpin_maps(skeleton_->obj);
  set_own(*skeleton_);
  ASSERT_EQ(xdp_lb__load(skeleton_), 0);
  maps_ = std::make_unique<Maps>(skeleton_->obj);
}

void XdpLab::TearDown() { xdp_lb__destroy(skeleton_); }

void XdpLab::put_on_node(const ServiceIds& ids, const std::string& address) {
  const std::uint32_t node = ++nodes_;
  const vd_node value{addr(address)};
  ASSERT_EQ(bpf_map_update_elem(maps_->fd("vd_node_v1"), &node, &value, BPF_ANY), 0);
  for (const std::uint32_t id : ids.backends) maps_->set_node(id, node);
}

XdpResult XdpLab::run_program(const bpf_program* program, const testing::Bytes& in) {
  // Metadata in front of the packet is what a program finds in the headroom that it takes.
  testing::Bytes with_headroom = in;
  with_headroom.insert(with_headroom.begin(), kHeadroom, 0xff);
  testing::Bytes out(with_headroom.size() + 512);
  xdp_md context{};
  context.data = kHeadroom;
  context.data_end = static_cast<__u32>(with_headroom.size());
  context.ingress_ifindex = uplink_;
  xdp_md after{};
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = with_headroom.data(), .data_out = out.data(),
              .data_size_in = static_cast<__u32>(with_headroom.size()),
              .data_size_out = static_cast<__u32>(out.size()), .ctx_in = &context,
              .ctx_out = &after, .ctx_size_in = sizeof context, .ctx_size_out = sizeof after);
  EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
  XdpResult result;
  result.verdict = opts.retval;
  result.out.assign(out.begin() + after.data, out.begin() + after.data_end);
  return result;
}

}  // namespace viaduct::bpftest
