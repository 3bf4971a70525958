// SPDX-License-Identifier: Apache-2.0
// Nanoseconds per packet of the XDP program under BPF_PROG_TEST_RUN, beside the least that a
// balancer does, in one run, interleaved; run as root. Own cost: minimum of the rounds less the
// measuring.
#include <xdp_bench.skel.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "tests/bpf/xdp_lab.h"

namespace viaduct::bpftest {
namespace {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

constexpr int kRepeat = 200000;
constexpr int kRounds = 15;

// struct settings of xdp_bench.bpf.c
struct Settings {
  std::uint32_t len, client_mask;
  std::uint8_t head[64];
};

class XdpBench : public XdpLab {
 public:
  void TestBody() override {}
  int measure();

 private:
  struct Row {
    const char* name;
    const bpf_program* program;
    Bytes in;
    std::uint32_t client_mask;
    bool resizes;
    double best = 1e9;
  };
  double run_once(const Row& row);
  void prepare();
  std::vector<Row> rows();

  xdp_bench* bench_ = nullptr;
};

void XdpBench::prepare() {
  put_on_node(maps().add({"11.0.0.1",
                          80,
                          IPPROTO_TCP,
                          {{"203.0.113.5", 8080}, {"203.0.113.6", 80}},
                          VD_PICK_HASH,
                          1024}),
              kNode4);
  put_on_node(maps().add({"fd01:c::1", 80, IPPROTO_TCP, {{"2001:db8:1::5", 8080}}}), kNode4);
  const std::uint64_t key = static_cast<std::uint64_t>(addr("11.0.0.1").words[3]) << 32 |
                            static_cast<std::uint64_t>(htons(80)) << 16 | IPPROTO_TCP;
  const std::uint64_t backend =
      static_cast<std::uint64_t>(addr("203.0.113.5").words[3]) << 32 | htons(8080);
  const std::uint64_t link = 0x020304050607;
  bpf_map_update_elem(bpf_map__fd(bench_->maps.floor_service), &key, &backend, BPF_ANY);
  bpf_map_update_elem(bpf_map__fd(bench_->maps.floor_backend), &backend, &link, BPF_ANY);
}

std::vector<XdpBench::Row> XdpBench::rows() {
  const Bytes hot =
      eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.flags = kAck, .data = "hello, world"});
  const Bytes syn = eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.data = "hello, world"});
  const Bytes other = eth() / ipv4({.dst = "203.0.113.9"}) / tcp({.data = "hello, world"});
  const Bytes six =
      eth() / ipv6({.dst = "fd01:c::1"}) / tcp({.flags = kAck, .data = "hello, world"});
  const Bytes tunnelled = eth() / ipv4({.src = kNode4, .dst = kOwn4, .proto = IPPROTO_IPIP}) /
                          raw({.proto = IPPROTO_IPIP, .data = Bytes(hot.begin() + 14, hot.end())});
  const Bytes answer =
      eth() / ipv4({.src = "11.0.0.1", .dst = "192.0.2.100"}) / tcp({.sport = 80, .dport = 40000});
  const Bytes error =
      eth() / ipv4({.src = "192.0.2.1", .dst = "11.0.0.1"}) /
      icmp({.type = 3, .code = 4, .data = Bytes(answer.begin() + 14, answer.begin() + 42)});
  const auto* ours = skeleton_->progs.vd_xdp_uplink;
  // 16 bits of the client's address: 64K flows.
  return {{"the measuring itself", bench_->progs.vd_bench_none, hot, 0, false},
          {"the same, and the head moved twice", bench_->progs.vd_bench_resize, hot, 0, true},
          {"floor: parse, 2 look-ups, rewrite", bench_->progs.vd_bench_floor, hot, 0, false},
          {"no VIP, IPv4", ours, other, 0, false},
          {"hot flow, IPv4", ours, hot, 0, true},
          {"64K flows spread, IPv4", ours, hot, htonl(0xffff), true},
          {"new flow (SYN), 64K spread, IPv4", ours, syn, htonl(0xffff), true},
          {"hot flow, IPv6 in IPv4", ours, six, 0, true},
          {"out of a tunnel, IPv4", ours, tunnelled, 0, true},
          {"ICMP error of a flow, IPv4", ours, error, 0, true}};
}

double XdpBench::run_once(const Row& row) {
  Settings value{};
  value.len = static_cast<std::uint32_t>(row.in.size());
  value.client_mask = row.client_mask;
  std::memcpy(value.head, row.in.data(), sizeof value.head);
  const std::uint32_t zero = 0;
  const int program = bpf_program__fd(row.program);
  bpf_map_update_elem(bpf_map__fd(bench_->maps.settings), &zero, &value, BPF_ANY);
  if (bpf_map_update_elem(bpf_map__fd(bench_->maps.target), &zero, &program, BPF_ANY) != 0)
    return -1;
  xdp_md context{};
  context.data_end = static_cast<__u32>(row.in.size());
  context.ingress_ifindex = uplink_;
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = row.in.data(),
              .data_size_in = static_cast<__u32>(row.in.size()), .ctx_in = &context,
              .ctx_size_in = sizeof context, .repeat = kRepeat);
  if (bpf_prog_test_run_opts(bpf_program__fd(bench_->progs.vd_bench_run), &opts) != 0) return -1;
  return opts.retval == XDP_ABORTED ? -1 : opts.duration;
}

int XdpBench::measure() {
  SetUp();
  bench_ = xdp_bench__open_and_load();
  if (HasFatalFailure() || bench_ == nullptr) return 1;
  prepare();
  auto all = rows();
  for (int round = 0; round < kRounds; ++round)
    for (Row& row : all) row.best = std::min(row.best, run_once(row));
  const double empty = all[0].best, move = (all[1].best - all[0].best) / 2;
  const double floor = all[2].best - empty;
  std::printf("%-36s %9s %9s %9s\n", "ns per packet", "raw", "own", "x floor");
  for (const Row& row : all) {
    const double own = row.best - empty - (row.resizes ? move : 0);
    std::printf("%-36s %9.1f %9.1f %9.2f\n", row.name, row.best, own, own / floor);
  }
  xdp_bench__destroy(bench_);
  TearDown();
  return 0;
}

int run(int, char**) { return XdpBench().measure(); }

}  // namespace
}  // namespace viaduct::bpftest

int main(int argc, char** argv) {
  return viaduct::bpftest::run_in_lab(viaduct::bpftest::run, argc, argv);
}
