// SPDX-License-Identifier: Apache-2.0
// Nanoseconds per packet of the tc programs under BPF_PROG_TEST_RUN; run as root. The kernel
// repeats a run on one buffer, so the hot flow dials a VIP whose backend is the same address on
// another port, which is again a VIP whose backend is the first: every run meets a known flow and
// rewrites addresses, ports and checksums.
#include <bpf/bpf.h>
#include <tc_lb.skel.h>

#include <algorithm>
#include <cstdio>

#include "tests/bpf/maps.h"
#include "tests/support/packet.h"

namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators
using viaduct::bpftest::Maps;

constexpr int kRepeat = 500000;
constexpr int kRounds = 15;

double ns_per_run(const bpf_program* program, Bytes in) {
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.data(),
                .data_size_in = static_cast<__u32>(in.size()), .repeat = kRepeat);
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts) != 0) return -1;
    best = std::min(best, static_cast<double>(opts.duration));
  }
  return best;
}

}  // namespace

int main() {
  tc_lb* skeleton = tc_lb__open();
  if (skeleton == nullptr) return 1;
  viaduct::bpftest::unpin_maps(skeleton->obj);
  if (tc_lb__load(skeleton) != 0) return 1;
  Maps maps(skeleton->obj);
  for (const char* vip : {"11.0.0.1", "fd01:c::1"}) {
    for (const std::uint8_t proto : {IPPROTO_TCP, IPPROTO_UDP}) {
      maps.add({vip, 80, proto, {{vip, 8080}}});
      maps.add({vip, 8080, proto, {{vip, 80}}});
    }
  }
  const Packet v4 = eth() / ipv4({.dst = "11.0.0.1"}), v6 = eth() / ipv6({.dst = "fd01:c::1"});
  const Packet data = tcp({.flags = kAck, .data = "hello"});
  const bpf_program* request = skeleton->progs.vd_tc_request;
  const bpf_program* reply = skeleton->progs.vd_tc_reply;
  const struct {
    const char* name;
    const bpf_program* program;
    Bytes in;
  } rows[] = {
      {"request: not IP (the measuring itself)", request,
       eth({.type = 0x0806}) / raw({.data = Bytes(60, 0)})},
      {"request: no VIP, IPv4", request, eth() / ipv4({.dst = "203.0.113.1"}) / data},
      {"request: no VIP, IPv6", request, eth() / ipv6({.dst = "2001:db8:1::1"}) / data},
      {"reply: no flow, IPv4", reply, eth() / ipv4({.dst = "203.0.113.1"}) / data},
      {"request: hot flow, IPv4 TCP", request, v4 / data},
      {"request: hot flow, IPv4 UDP", request, v4 / udp({.dport = 80})},
      {"request: hot flow, IPv6 TCP", request, v6 / data},
  };
  for (const auto& row : rows)
    std::printf("%-42s %6.1f ns\n", row.name, ns_per_run(row.program, row.in));
  tc_lb__destroy(skeleton);
  return 0;
}
