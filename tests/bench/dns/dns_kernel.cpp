// Nanoseconds that tc_dns takes for a packet under BPF_PROG_TEST_RUN; run as root. What repeating
// costs besides is measured alone and taken off; it includes no trimming, so answers are charged
// for that.
//
//   dns_kernel [ROUNDS]

#include <bpf/bpf.h>
#include <dns_kernel_bench.skel.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "dns/io/answer_maps.h"
#include "dns/io/kernel_table.h"
#include "dns/table_writer.h"
#include "tests/support/dns_message.h"
#include "tests/support/packet.h"

namespace viaduct {
namespace {

using dns::Name;
using test::MessageBuilder;
using testing::Bytes;

constexpr unsigned kNames = 10'000;
constexpr int kRepeat = 200'000;
constexpr const char* kServer = "198.51.100.1";

struct BenchQuery {  // struct vd_bench_query
  std::uint32_t octets = 0;
  std::uint8_t frame[1024] = {};
};

Name name(const std::string& text) { return Name::parse(text).value(); }

std::string host(unsigned i) { return "service-" + std::to_string(i) + ".marathon.example"; }

void fill(dns::TableWriter& writer) {
  dns::Zone zone;
  zone.apex = name("example");
  zone.soa.primary = zone.soa.mailbox = name("ns.example");
  for (unsigned i = 0; i < kNames; ++i)
    zone.records.push_back(
        dns::address_record(name(host(i)), base::Address::v4(0x0b000000 + i), 5));
  for (unsigned i = 0; i < 8; ++i)
    zone.records.push_back(
        dns::address_record(name("eight.example"), base::Address::v4(0x0b000000 + i), 5));
  const std::string label(50, 'x');
  zone.records.push_back(dns::address_record(
      name(label + "." + label + "." + label + "." + label + ".example"), {}, 5));
  writer.set_whole(zone);
}

Bytes frame(const test::Octets& message, bool v4 = true, std::uint16_t port = 53) {
  const std::string text(message.begin(), message.end());
  const auto udp = testing::udp({.dport = port, .data = text});
  return v4 ? testing::eth() / testing::ipv4({.dst = kServer}) / udp
            : testing::eth() / testing::ipv6({.dst = "2001:db8::53"}) / udp;
}

double ns_per_run(const bpf_program* program, Bytes in, int* verdict) {
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.data(),
              .data_size_in = static_cast<__u32>(in.size()), .repeat = kRepeat);
  if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts) != 0) std::abort();
  *verdict = static_cast<int>(opts.retval);
  return opts.duration;
}

struct Case {
  const char* what;
  Bytes frame;
  bool answered;
};

std::vector<Case> cases() {
  const auto ask = [](const std::string& text, dns::Type type) {
    return MessageBuilder().question(text, type);
  };
  const std::string label(50, 'x');
  const std::string longest = label + "." + label + "." + label + "." + label + ".example";
  return {
      {"A", frame(ask(host(77), dns::Type::a)), true},
      {"A over IPv6", frame(ask(host(77), dns::Type::a), false), true},
      {"A with EDNS", frame(ask(host(77), dns::Type::a).opt()), true},
      {"AAAA, NODATA", frame(ask(host(77), dns::Type::aaaa)), true},
      {"8 A, rotating", frame(ask("eight.example", dns::Type::a)), true},
      {"A, 213 octets of name", frame(ask(longest, dns::Type::a)), true},
      {"a name that is not there", frame(ask("nothing.marathon.example", dns::Type::a)), false},
      {"another port", frame(ask(host(77), dns::Type::a), true, 5353), false},
      {"TCP", testing::eth() / testing::ipv4({.dst = kServer}) / testing::tcp({.dport = 53}),
       false},
  };
}

int run(int rounds) {
  const std::string folder = "/sys/fs/bpf/vd-dns-bench-" + std::to_string(getpid());
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = folder.c_str());
  dns_kernel_bench* skeleton = dns_kernel_bench__open_opts(&options);
  if (skeleton && dns_kernel_bench__load(skeleton) != 0) skeleton = nullptr;
  auto kernel = dns::KernelTable::open(folder);
  std::filesystem::remove_all(folder, ignored);
  if (!skeleton || !kernel) {
    std::fprintf(stderr, "tc_dns could not be loaded\n");
    return 1;
  }
  dns::TableWriter writer(dns::allocate_in_kernel, 1);
  fill(writer);
  if (!kernel->set_servers(
          {{*base::Address::parse(kServer), 53}, {*base::Address::parse("2001:db8::53"), 53}}) ||
      !kernel->publish(writer.table()))
    return 1;
  kernel->enable(true);
  std::printf("%-26s %10s %10s\n", "packet", "ns", "of which");
  for (const Case& one : cases()) {
    BenchQuery query;
    query.octets = static_cast<std::uint32_t>(one.frame.size());
    std::memcpy(query.frame, one.frame.data(), one.frame.size());
    const __u32 zero = 0;
    bpf_map_update_elem(bpf_map__fd(skeleton->maps.vd_bench_query), &zero, &query, BPF_ANY);
    double answer = 1e9, restore = 1e9;
    int verdict = 0, none = 0;
    for (int round = 0; round < rounds; ++round) {
      kernel->beat(std::chrono::steady_clock::now() + std::chrono::seconds(3));
      restore = std::min(restore, ns_per_run(skeleton->progs.vd_bench_restore, one.frame, &none));
      answer = std::min(answer, ns_per_run(skeleton->progs.vd_bench_answer, one.frame, &verdict));
    }
    if ((verdict == 7) != one.answered) {  // TC_ACT_REDIRECT
      std::fprintf(stderr, "%s: verdict %d\n", one.what, verdict);
      return 1;
    }
    std::printf("%-26s %10.0f %10.0f harness\n", one.what, answer - restore, restore);
  }
  dns_kernel_bench__destroy(skeleton);
  return 0;
}

}  // namespace
}  // namespace viaduct

int main(int argc, char** argv) {
  return viaduct::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 7);
}
