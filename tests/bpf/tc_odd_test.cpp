// SPDX-License-Identifier: Apache-2.0
// Packets that are not for us, cut off, lying, or oddly shaped.
#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include <string>

#include "tests/bpf/tc_families.h"

namespace viaduct::bpftest {
namespace {

class TcOdd : public TcFamilies {};

INSTANTIATE_TEST_SUITE_P(Families, TcOdd, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(TcOdd, OffloadsAndOddLengthsKeepChecksumsRight) {
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 5353}}});
  std::string payload;
  for (int i = 0; i < 300; ++i) {
    payload.push_back(static_cast<char>(i * 7));
    const Result out =
        request(ip(f().client, f().vip) /
                udp({.sport = static_cast<std::uint16_t>(1000 + i), .data = payload}));
    ASSERT_TRUE(out.packet().checksums_ok) << i;
    ASSERT_TRUE(out.packet().has_udp_checksum) << i;
  }
}

TEST_P(TcOdd, WhatIsNoVipPassesUntouched) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Bytes others[] = {
      syn(f().other_vip),
      syn(f().vip, 81),
      datagram(f().vip),
      ip(f().client, f().vip) / raw(),
      ip(f().client, f().vip) /
          icmp({.type = static_cast<std::uint8_t>(f().name == std::string("v4") ? 8 : 128)}),
      eth({.type = 0x0806}) / raw({.data = Bytes(28, 1)}),
  };
  for (const Bytes& in : others) {
    for (const Result& out : {request(in), to_container(in), from_uplink(in)}) {
      EXPECT_EQ(out.verdict, kPass);
      EXPECT_EQ(out.out, in);
    }
  }
  EXPECT_EQ(maps().flows().size(), 0u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NOT_VIP), 3u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NOT_L4), 2u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NOT_IP), 1u);
}

TEST_P(TcOdd, TruncatedPacketsPassUntouched) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Bytes whole = syn(f().vip);
  const std::size_t least = f().name == std::string("v4") ? 34 : 54;  // the kernel takes no less
  for (std::size_t size = least; size < whole.size(); ++size) {
    const Bytes in(whole.begin(), whole.begin() + static_cast<long>(size));
    const Result out = request(in);
    ASSERT_EQ(out.verdict, kPass) << size;
    ASSERT_EQ(out.out, in) << size;
  }
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_TRUNCATED), whole.size() - least);
  EXPECT_EQ(maps().flows().size(), 0u);
}

class TcOdd4 : public TcLab {};
class TcOdd6 : public TcLab {};

TEST_F(TcOdd4, UdpWithoutAChecksumStaysWithoutOne) {
  maps().add({"11.0.0.1", 53, IPPROTO_UDP, {{"203.0.113.5", 5353}}});
  const Result out = request(eth() / ipv4({.dst = "11.0.0.1"}) / udp({.checksum = false}));
  EXPECT_EQ(out.packet().dst, "203.0.113.5");
  EXPECT_FALSE(out.packet().has_udp_checksum);
  EXPECT_TRUE(out.packet().checksums_ok);
}

TEST_F(TcOdd4, LyingHeadersPassUntouched) {
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  const Bytes lies[] = {
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 41}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 39}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 0}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .total_length = 65535}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .header_words = 4}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1", .header_words = 15}) / tcp(),
      eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.header_words = 4}),
      eth() / ipv4({.dst = "11.0.0.1"}) / tcp({.header_words = 6}),
      eth({.type = 0x86dd}) / ipv4({.dst = "11.0.0.1"}) / tcp({.data = std::string(40, 'x')}),
  };
  for (const Bytes& in : lies) {
    const Result out = request(in);
    EXPECT_EQ(out.verdict, kPass);
    EXPECT_EQ(out.out, in);
  }
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_TRUNCATED), std::size(lies));
  EXPECT_EQ(maps().flows().size(), 0u);
}

TEST_F(TcOdd4, OptionsAndPaddingAreWalkedOver) {
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"203.0.113.5", 8080}}});
  maps().add({"11.0.0.2", 80, IPPROTO_TCP, {}});
  maps().add({"11.0.0.2", 53, IPPROTO_UDP, {}});
  const Bytes options = {1, 1, 1, 1, 1, 1, 1, 0};
  Bytes in = eth() / ipv4({.dst = "11.0.0.1", .options = options}) / tcp();
  in.insert(in.end(), 6, 0);  // Ethernet padding
  const Result out = request(in);
  EXPECT_EQ(out.packet().tuple(), "192.0.2.100 40001 > 203.0.113.5 8080");
  EXPECT_TRUE(out.packet().checksums_ok);
  EXPECT_EQ(out.out.size(), in.size());

  const Parsed rst =
      request(eth() / ipv4({.dst = "11.0.0.2", .options = options}) / tcp()).packet();
  EXPECT_EQ(rst.tuple(), "11.0.0.2 80 > 192.0.2.100 40000");
  EXPECT_EQ(rst.ack, 1001u);
  EXPECT_TRUE(rst.checksums_ok);
  const Bytes asked = eth() / ipv4({.dst = "11.0.0.2", .options = options}) / udp();
  const Parsed error = request(asked).packet();
  EXPECT_TRUE(error.checksums_ok);
  EXPECT_EQ(error.payload, Bytes(asked.begin() + 14, asked.begin() + 14 + 28 + 8));
}

TEST_F(TcOdd6, ExtensionHeadersAreWalkedOver) {
  maps().add({"fd01:c::1", 80, IPPROTO_TCP, {{"2001:db8:1::5", 8080}}});
  maps().add({"fd01:c::2", 80, IPPROTO_TCP, {}});
  maps().add({"fd01:c::2", 53, IPPROTO_UDP, {}});
  const Result out = request(
      eth() / ipv6({.dst = "fd01:c::1", .extensions = {{0, 0}, {60, 2}, {43, 0}, {60, 255}}}) /
      tcp());
  EXPECT_EQ(out.packet().tuple(), "2001:db8::100 40001 > 2001:db8:1::5 8080");
  EXPECT_TRUE(out.packet().checksums_ok);
  const Parsed rst =
      request(eth() / ipv6({.dst = "fd01:c::2", .extensions = {{0, 3}}}) / tcp()).packet();
  EXPECT_EQ(rst.tuple(), "fd01:c::2 80 > 2001:db8::100 40000");
  EXPECT_TRUE(rst.checksums_ok);
  const Parsed error =
      request(eth() / ipv6({.dst = "fd01:c::2", .extensions = {{0, 3}}}) / udp()).packet();
  EXPECT_EQ(error.type, 1);
  EXPECT_TRUE(error.checksums_ok);
}

TEST_F(TcOdd6, TooManyExtensionHeadersPassUntouched) {
  maps().add({"fd01:c::1", 80, IPPROTO_TCP, {{"2001:db8:1::5", 8080}}});
  const Bytes chain =
      eth() /
      ipv6({.dst = "fd01:c::1", .extensions = {{0, 0}, {60, 0}, {60, 0}, {60, 0}, {60, 0}}}) /
      tcp();
  EXPECT_EQ(request(chain).out, chain);
  const Bytes lying = eth() / ipv6({.dst = "fd01:c::1", .payload_length = 60}) / tcp();
  EXPECT_EQ(request(lying).out, lying);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NOT_L4), 1u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_TRUNCATED), 1u);
}

}  // namespace
}  // namespace viaduct::bpftest
