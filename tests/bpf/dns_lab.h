// SPDX-License-Identifier: Apache-2.0
// tc_dns under BPF_PROG_TEST_RUN, on a table that the daemon's own code writes through the pins.
#pragma once

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/pkt_cls.h>
#include <sys/mount.h>
#include <tc_dns.skel.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "dns/io/answer_maps.h"
#include "dns/io/kernel_table.h"
#include "dns/respond.h"
#include "dns/table_writer.h"
#include "tests/bpf/lab.h"
#include "tests/support/dns_message.h"
#include "tests/support/packet.h"

namespace viaduct::bpftest {

inline constexpr const char* kServer4 = "198.51.100.1";
inline constexpr const char* kServer6 = "2001:db8::53";
inline constexpr const char* kClient4 = "192.0.2.100";
inline constexpr const char* kClient6 = "2001:db8::100";

/// What the program did with a query.
struct Asked {
  int verdict = 0;
  testing::Bytes packet;
  bool unchanged = false;

  bool up() const { return verdict == TC_ACT_UNSPEC && unchanged; }
  testing::Parsed parsed() const { return testing::parse(packet); }
};

/// The loaded program and the maps that it shares with user space, in a folder of pins.
class DnsKernel {
 public:
  /// @return absent: the reason was told to GoogleTest.
  static std::unique_ptr<DnsKernel> load() {
    auto kernel = std::unique_ptr<DnsKernel>(new DnsKernel);
    std::error_code code;
    std::filesystem::create_directories(kernel->folder_, code);
    LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = kernel->folder_.c_str());
    kernel->skeleton_ = tc_dns__open_opts(&options);
    if (kernel->skeleton_ == nullptr || tc_dns__load(kernel->skeleton_) != 0) {
      ADD_FAILURE() << "tc_dns does not load";
      return nullptr;
    }
    auto table = dns::KernelTable::open(kernel->folder_);
    if (!table) {
      ADD_FAILURE() << table.error().message();
      return nullptr;
    }
    kernel->table_.emplace(*std::move(table));
    return kernel;
  }

  ~DnsKernel() {
    tc_dns__destroy(skeleton_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  dns::KernelTable& table() { return *table_; }
  const bpf_program* container() const { return skeleton_->progs.vd_dns_container; }
  const bpf_program* loopback() const { return skeleton_->progs.vd_dns_loopback; }
  const std::string& folder() const { return folder_; }

  std::uint64_t count(vd_dns_outcome outcome) { return table_->counts().value()[outcome]; }
  std::uint64_t counted() {
    std::uint64_t sum = 0;
    for (const std::uint64_t one : table_->counts().value()) sum += one;
    return sum;
  }

  static Asked run(const bpf_program* program, const testing::Bytes& in) {
    Asked asked;
    asked.packet.resize(in.size() + 1024);
    __sk_buff context{};
    context.ifindex = 1;
    context.ingress_ifindex = 1;
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.data(), .data_out = asked.packet.data(),
                .data_size_in = static_cast<__u32>(in.size()),
                .data_size_out = static_cast<__u32>(asked.packet.size()), .ctx_in = &context,
                .ctx_size_in = sizeof context);
    EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
    asked.packet.resize(opts.data_size_out);
    asked.verdict = static_cast<int>(opts.retval);
    asked.unchanged = asked.packet == in;
    return asked;
  }

 private:
  DnsKernel()
      : folder_("/sys/fs/bpf/vd-dns-test-" + std::to_string(getpid()) + "-" +
                std::to_string(number_++)) {}

  static inline int number_ = 0;
  std::string folder_;
  tc_dns* skeleton_ = nullptr;
  std::optional<dns::KernelTable> table_;
};

inline std::string text_of(const test::Octets& message) { return {message.begin(), message.end()}; }

inline testing::Bytes query4(const test::Octets& message, std::uint16_t sport = 40000) {
  return testing::eth() / testing::ipv4({.src = kClient4, .dst = kServer4}) /
         testing::udp({.sport = sport, .dport = 53, .data = text_of(message)});
}
inline testing::Bytes query6(const test::Octets& message, std::uint16_t sport = 40000) {
  return testing::eth() / testing::ipv6({.src = kClient6, .dst = kServer6}) /
         testing::udp({.sport = sport, .dport = 53, .data = text_of(message)});
}

/// A zone "example." with answers of every kind that a slot holds, and one that it does not.
dns::Zone example_zone();

class DnsLab : public ::testing::Test {
 protected:
  void SetUp() override {
    VD_REQUIRE_PRIVILEGE();
    kernel_ = DnsKernel::load();
    ASSERT_NE(kernel_, nullptr);
    ASSERT_TRUE(kernel_->table().set_servers(
        {{*base::Address::parse(kServer4), 53}, {*base::Address::parse(kServer6), 53}}));
    writer_.set_whole(example_zone());
    show();
    kernel_->table().beat(std::chrono::steady_clock::now() + std::chrono::hours(1));
    kernel_->table().enable(true);
  }

  void show() {
    const auto shown = kernel_->table().publish(writer_.table());
    ASSERT_TRUE(shown) << shown.error().message();
  }

  Asked ask4(const test::Octets& message) {
    return DnsKernel::run(kernel_->container(), query4(message));
  }
  Asked ask6(const test::Octets& message) {
    return DnsKernel::run(kernel_->container(), query6(message));
  }

  /// What user space answers.
  test::Octets answer(const test::Octets& message) {
    test::Octets out(dns::answer_capacity(dns::Transport::udp));
    out.resize(dns::respond(message, *writer_.table(), dns::Transport::udp, out).octets);
    return out;
  }

  /// The kernel answers over both families, with user space's octets and right headers.
  void expect_same(const test::Octets& message) {
    const test::Octets wanted = answer(message);
    for (const bool v4 : {true, false}) {
      SCOPED_TRACE(v4 ? "IPv4" : "IPv6");
      const Asked asked = v4 ? ask4(message) : ask6(message);
      ASSERT_EQ(asked.verdict, TC_ACT_REDIRECT);
      const testing::Parsed packet = asked.parsed();
      EXPECT_EQ(packet.payload, wanted);
      EXPECT_TRUE(packet.checksums_ok);
      EXPECT_TRUE(packet.has_udp_checksum);
      EXPECT_EQ(packet.tuple(), v4 ? std::string(kServer4) + " 53 > " + kClient4 + " 40000"
                                   : std::string(kServer6) + " 53 > " + kClient6 + " 40000");
      EXPECT_EQ(packet.eth_dst, testing::Eth{}.src);
      EXPECT_EQ(packet.eth_src, testing::Eth{}.dst);
    }
  }

  /// The kernel leaves the query alone, over both families, and counts why.
  void expect_up(const test::Octets& message, vd_dns_outcome why) {
    const std::uint64_t before = kernel_->count(why), all = kernel_->counted();
    EXPECT_TRUE(ask4(message).up());
    EXPECT_TRUE(ask6(message).up());
    EXPECT_EQ(kernel_->count(why), before + 2) << dns::to_string(why);
    EXPECT_EQ(kernel_->counted(), all + 2);
  }

  std::unique_ptr<DnsKernel> kernel_;
  dns::TableWriter writer_{dns::allocate_in_kernel, 0x5eed, 64};
};

}  // namespace viaduct::bpftest
