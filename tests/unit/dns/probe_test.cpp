#include "dns/probe.h"

#include <gtest/gtest.h>

#include "dns/question.h"

namespace viaduct::dns {
namespace {

const Name kName = Name::parse("ready.spartan").value();

std::vector<std::uint8_t> reply(std::uint8_t flags1, std::uint8_t flags2, std::uint8_t answers) {
  std::vector<std::uint8_t> octets = make_query(0x1234, kName, Type::a);
  octets[2] = flags1;
  octets[3] = flags2;
  octets[7] = answers;
  return octets;
}

TEST(Probe, IsAPlainQuery) {
  const std::vector<std::uint8_t> wanted = {0x12, 0x34, 0,   0,   0,   1,   0,   0, 0,   0,   0,
                                            0,    5,    'r', 'e', 'a', 'd', 'y', 7, 's', 'p', 'a',
                                            'r',  't',  'a', 'n', 0,   0,   6,   0, 1};
  EXPECT_EQ(make_query(0x1234, kName, Type::soa), wanted);
}

TEST(Probe, GoesPastTheKernelByAnOption) {
  const auto plain = make_query(0x1234, kName, Type::a);
  const auto sent = past_the_kernel(plain);
  const Question question = parse_question(sent);
  EXPECT_EQ(question.verdict, Verdict::query);
  EXPECT_TRUE(question.has_opt);
  const std::vector<std::uint8_t> end(sent.end() - 6, sent.end());
  EXPECT_EQ(end, (std::vector<std::uint8_t>{0, 4, 0, 12, 0, 0}));
}

TEST(Probe, TellsOurAnswerFromOthers) {
  const auto query = make_query(0x1234, kName, Type::a);
  EXPECT_EQ(judge_reply(reply(0x84, 0, 1), query), "");
  EXPECT_EQ(judge_reply(reply(0x84, 5, 0), query),
            "answers for ready.spartan with error 5: another DNS server?");
  const std::string foreign = "does not have ready.spartan: another DNS server?";
  EXPECT_EQ(judge_reply(reply(0x80, 0, 1), query), foreign);
  EXPECT_EQ(judge_reply(reply(0x84, 0, 0), query), foreign);
  const std::string no_dns = "answers with something else than DNS";
  EXPECT_EQ(judge_reply(reply(0x84, 0, 1), make_query(0x4321, kName, Type::a)), no_dns);
  EXPECT_EQ(judge_reply(reply(0x04, 0, 1), query), no_dns);
  EXPECT_EQ(judge_reply({}, query), no_dns);
  auto other = reply(0x84, 0, 1);
  other[13] ^= 1;
  EXPECT_EQ(judge_reply(other, query), "answers another question than that for ready.spartan");
}

}  // namespace
}  // namespace viaduct::dns
