#include "tools/viaductctl/dns_probe.h"

#include <gtest/gtest.h>

#include <string_view>

namespace viaduct::ctl {
namespace {

std::vector<std::uint8_t> reply(std::uint8_t flags1, std::uint8_t flags2, std::uint8_t answers) {
  std::vector<std::uint8_t> octets = soa_query(0x1234);
  octets[2] = flags1;
  octets[3] = flags2;
  octets[7] = answers;
  return octets;
}

TEST(DnsProbe, AsksForTheSoaOfTheZone) {
  const auto query = soa_query(0x1234);
  const std::string_view expected(
      "\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
      "\x04l4lb\x08thisdcos\x09"
      "directory\x00\x00\x06\x00\x01",
      12 + 5 + 9 + 10 + 5);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(query.data()), query.size()), expected);
}

TEST(DnsProbe, OnlyAnAuthoritativeAnswerIsRight) {
  EXPECT_EQ(judge_soa_reply(reply(0x84, 0, 1), 0x1234), "");
  EXPECT_EQ(judge_soa_reply(reply(0x84, 5, 0), 0x1234),
            "answers for l4lb.thisdcos.directory with error 5: another DNS server?");
  EXPECT_EQ(judge_soa_reply(reply(0x80, 0, 1), 0x1234),
            "does not have l4lb.thisdcos.directory: another DNS server?");
  EXPECT_EQ(judge_soa_reply(reply(0x84, 0, 0), 0x1234),
            "does not have l4lb.thisdcos.directory: another DNS server?");
  EXPECT_EQ(judge_soa_reply(reply(0x84, 0, 1), 0x4321), "answers with something else than DNS");
  EXPECT_EQ(judge_soa_reply(reply(0x04, 0, 1), 0x1234), "answers with something else than DNS");
  EXPECT_EQ(judge_soa_reply({}, 0), "answers with something else than DNS");
}

}  // namespace
}  // namespace viaduct::ctl
