// SPDX-License-Identifier: Apache-2.0
// ICMP errors about known flows.
#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include <string>

#include "tests/bpf/tc_families.h"

namespace viaduct::bpftest {
namespace {

class TcIcmp : public TcFamilies {};

INSTANTIATE_TEST_SUITE_P(Families, TcIcmp, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

// What an ICMP error quotes of a frame: its IP header and 8 bytes, among them the UDP checksum.
Bytes quote(const Bytes& frame) {
  const std::size_t header = frame[14] >> 4 == 4 ? 20 : 40;
  return Bytes(frame.begin() + 14, frame.begin() + static_cast<long>(14 + header + 8));
}

// Quoted transport checksums are left as they are.
Bytes without_udp_checksum(Bytes quoted) {
  quoted.resize(quoted.size() - 2);
  return quoted;
}

// A "packet too big" or "time exceeded" of either family.
Packet error_about(const Bytes& frame, const std::string& from, const std::string& to,
                   bool too_big) {
  const bool v4 = frame[14] >> 4 == 4;
  const auto type = static_cast<std::uint8_t>(too_big ? (v4 ? 3 : 2) : (v4 ? 11 : 3));
  return ip(from, to) / icmp({.type = type,
                              .code = static_cast<std::uint8_t>(too_big && v4 ? 4 : 0),
                              .rest = 1400,
                              .data = quote(frame)});
}

TEST_P(TcIcmp, AnIcmpErrorOnTheWayReachesTheClientAsOneAboutTheVip) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Bytes sent = syn(f().vip);
  const Result at_backend = request(sent);
  for (const bool too_big : {true, false}) {
    const Bytes error = error_about(at_backend.out, f().backend2, f().client, too_big);
    EXPECT_EQ(request(error).out, error) << "only at the client's own link";
    const Result out = to_container(error);
    EXPECT_EQ(out.verdict, kPass);
    EXPECT_EQ(out.packet().src, f().backend2) << "a router keeps its name";
    EXPECT_EQ(out.packet().dst, f().client);
    EXPECT_TRUE(out.packet().checksums_ok);
    EXPECT_EQ(out.packet().payload, quote(sent));
  }
  const Result from_backend =
      to_container(error_about(at_backend.out, f().backend, f().client, true));
  EXPECT_EQ(from_backend.packet().src, f().vip) << "the backend appears as the VIP";
  EXPECT_TRUE(from_backend.packet().checksums_ok);
  EXPECT_EQ(maps().count(VD_HOOK_REPLY, VD_ICMP_FORWARDED), 3u);
}

TEST_P(TcIcmp, AnIcmpErrorOfTheClientReachesTheBackend) {
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 5353}}});
  const Bytes reply = answer(request(datagram(f().vip)).packet(), 0, "answer");
  const Result at_client = to_container(reply);
  const Result error = request(error_about(at_client.out, f().client, f().vip, true));
  EXPECT_EQ(error.verdict, kPass);
  EXPECT_EQ(error.packet().src, f().client);
  EXPECT_EQ(error.packet().dst, f().backend);
  EXPECT_TRUE(error.packet().checksums_ok);
  EXPECT_EQ(without_udp_checksum(error.packet().payload), without_udp_checksum(quote(reply)));
}

TEST_P(TcIcmp, AnIcmpErrorInAHairpinComesBack) {
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().client, 5353}}});
  const Bytes sent = datagram(f().vip);
  const Result at_backend = request(sent);
  const Result error = request(error_about(at_backend.out, f().client, f().vip, true));
  EXPECT_EQ(error.verdict, kRedirect);
  EXPECT_EQ(error.packet().src, f().vip);
  EXPECT_EQ(error.packet().dst, f().client);
  EXPECT_TRUE(error.packet().checksums_ok);
  EXPECT_EQ(without_udp_checksum(error.packet().payload), without_udp_checksum(quote(sent)));
}

TEST_P(TcIcmp, IcmpErrorsOfNoFlowPassUntouched) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Bytes sent = syn(f().vip);
  const Bytes at_backend = request(sent).out;
  Bytes cut = error_about(at_backend, f().backend2, f().client, true);
  cut.resize(cut.size() - 5);
  const Bytes others[] = {
      error_about(syn(f().other_vip), f().backend2, f().client, true),
      error_about(at_backend, f().backend2, f().backend, true),  // not to the quoted sender
      ip(f().backend2, f().client) / icmp({.type = 3, .data = Bytes(5, 0)}),
      cut,
  };
  for (const Bytes& in : others) EXPECT_EQ(to_container(in).out, in);
}

}  // namespace
}  // namespace viaduct::bpftest
