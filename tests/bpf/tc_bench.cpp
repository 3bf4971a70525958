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
constexpr int kFlows = 20000;

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

// Runs a packet, its answer and the packet after it, so that the flow is a settled one. @return the
// packet as the backend gets it.
Bytes settle(const tc_lb* skeleton, const Bytes& in) {
  Bytes out(in.size()), packet = in;
  for (const bool answered : {false, true}) {
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet.data(), .data_out = out.data(),
                .data_size_in = static_cast<__u32>(packet.size()),
                .data_size_out = static_cast<__u32>(out.size()));
    bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.vd_tc_request), &opts);
    if (answered) break;
    const Parsed p = parse(out);
    const Packet back = p.src.find(':') == std::string::npos
                            ? eth() / ipv4({.src = p.dst, .dst = p.src})
                            : eth() / ipv6({.src = p.dst, .dst = p.src});
    Bytes answer = p.proto == IPPROTO_TCP
                       ? back / tcp({.sport = p.dport, .dport = p.sport, .seq = 0, .flags = kAck})
                       : back / udp({.sport = p.dport, .dport = p.sport});
    LIBBPF_OPTS(bpf_test_run_opts, reply, .data_in = answer.data(),
                .data_size_in = static_cast<__u32>(answer.size()));
    bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.vd_tc_reply), &reply);
  }
  return out;
}

// Nanoseconds of one run, with what the system call's clock adds.
double ns_once(const bpf_program* program, Bytes& in, Bytes* out = nullptr) {
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.data(),
              .data_size_in = static_cast<__u32>(in.size()), .repeat = 1);
  if (out != nullptr) {
    out->resize(in.size());
    opts.data_out = out->data();
    opts.data_size_out = static_cast<__u32>(out->size());
  }
  if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts) != 0) return -1;
  return opts.duration;
}

struct Handshake {
  double syn = 0, syn_ack = 0, ack = 0;
};

// Means over many flows of what the first packets cost; the flow table is full soon.
Handshake handshakes(const tc_lb* skeleton) {
  Handshake sum;
  for (int i = 0; i < kFlows; ++i) {
    const auto sport = static_cast<std::uint16_t>(10000 + i);
    const std::string client = "192.0.2." + std::to_string(i % 200 + 1);
    Bytes syn = eth() / ipv4({.src = client, .dst = "11.0.0.9"}) / tcp({.sport = sport});
    Bytes there;
    sum.syn += ns_once(skeleton->progs.vd_tc_request, syn, &there);
    const Parsed p = parse(there);
    Bytes syn_ack = eth() / ipv4({.src = p.dst, .dst = p.src}) /
                    tcp({.sport = p.dport,
                         .dport = p.sport,
                         .seq = 77,
                         .ack = p.seq + 1,
                         .flags = kSyn | kAck});
    sum.syn_ack += ns_once(skeleton->progs.vd_tc_reply, syn_ack);
    Bytes ack = eth() / ipv4({.src = client, .dst = "11.0.0.9"}) /
                tcp({.sport = sport, .seq = 1001, .ack = 78, .flags = kAck});
    sum.ack += ns_once(skeleton->progs.vd_tc_request, ack);
  }
  return {sum.syn / kFlows, sum.syn_ack / kFlows, sum.ack / kFlows};
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
  for (const Bytes& in : {rows[4].in, rows[5].in, rows[6].in})
    settle(skeleton, settle(skeleton, in));
  for (const auto& row : rows)
    std::printf("%-42s %6.1f ns\n", row.name, ns_per_run(row.program, row.in));
  maps.add({"11.0.0.9", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  Bytes no_ip = eth({.type = 0x0806}) / raw({.data = Bytes(60, 0)});
  double once = 0;
  for (int i = 0; i < kFlows; ++i) once += ns_once(request, no_ip);
  const Handshake cost = handshakes(skeleton);
  std::printf("%-42s %6.1f ns\n", "one run: not IP (the measuring itself)", once / kFlows);
  std::printf("%-42s %6.1f ns\n", "one run: a new flow's SYN", cost.syn);
  std::printf("%-42s %6.1f ns\n", "one run: its SYN-ACK", cost.syn_ack);
  std::printf("%-42s %6.1f ns\n", "one run: its ACK", cost.ack);
  tc_lb__destroy(skeleton);
  return 0;
}
