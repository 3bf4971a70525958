#include "dns/forward/reply.h"

#include <gtest/gtest.h>

#include <random>

#include "dns/forward/query.h"
#include "tests/support/dns_reply.h"
#include "tests/support/ldns.h"

namespace viaduct::dns::forward {
namespace {

using test::Octets;
using test::ReplyBuilder;

Octets sent(Type type = Type::a) {
  return test::MessageBuilder(0x4711).question("wWw.ExamPle", type).opt();
}
ReplyVerdict verdict(const Octets& reply) { return inspect(reply, sent()).verdict; }

TEST(ForwardReply, TakesTheAnswerToWhatWasAsked) {
  const Octets message = ReplyBuilder(sent()).address(1, 300).address(2, 200).opt();
  const Reply reply = inspect(message, sent());
  EXPECT_EQ(reply.verdict, ReplyVerdict::accepted);
  EXPECT_EQ(reply.rcode, 0);
  EXPECT_TRUE(reply.has_opt);
  EXPECT_EQ(reply.octets, message.size() - 11);
  EXPECT_EQ(reply.answers, 2);
  EXPECT_EQ(reply.ttl_s, 200u);
  ASSERT_EQ(reply.ttl_offsets.size(), 2u);
  EXPECT_EQ(read32(&message[reply.ttl_offsets[0]]), 300u);
  EXPECT_EQ(read32(&message[reply.ttl_offsets[1]]), 200u);
}

TEST(ForwardReply, RefusesWhatAnswersSomethingElse) {
  Octets reply = test::honest_reply(sent());
  EXPECT_EQ(verdict(ReplyBuilder(sent()).id(0x4712).address(1)), ReplyVerdict::wrong_id);
  EXPECT_EQ(verdict(ReplyBuilder(sent(Type::aaaa)).address(1)), ReplyVerdict::wrong_question);
  EXPECT_EQ(verdict(ReplyBuilder(sent(), 0x0180).address(1)), ReplyVerdict::not_response);
  EXPECT_EQ(verdict(ReplyBuilder(sent(), 0xa180).address(1)), ReplyVerdict::not_response);
  reply[14] = 'x';
  EXPECT_EQ(verdict(reply), ReplyVerdict::wrong_question);
  reply = test::honest_reply(sent());
  reply[13] ^= 0x20;
  EXPECT_EQ(verdict(reply), ReplyVerdict::case_changed);
  reply = test::honest_reply(sent());
  write16(&reply[4], 2);
  EXPECT_EQ(verdict(reply), ReplyVerdict::wrong_question);
  write16(&reply[4], 0);
  EXPECT_EQ(verdict(reply), ReplyVerdict::wrong_question);
}

TEST(ForwardReply, AnErrorMayComeWithoutAQuestion) {
  Octets header(12);
  write16(&header[0], 0x4711);
  write16(&header[2], 0x8181);
  const Reply reply = inspect(header, sent());
  EXPECT_EQ(reply.verdict, ReplyVerdict::accepted);
  EXPECT_EQ(reply.rcode, 1);
  EXPECT_FALSE(reply.has_question);
}

TEST(ForwardReply, RefusesEveryPartOfAnAnswer) {
  const Octets whole = ReplyBuilder(sent()).address(1).soa(5, 5).opt();
  ASSERT_EQ(verdict(whole), ReplyVerdict::accepted);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(verdict(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))),
              ReplyVerdict::accepted)
        << size;
}

TEST(ForwardReply, CutsWhatFollowsTheLastRecord) {
  const Octets whole = test::honest_reply(sent());
  Octets longer = whole;
  longer.push_back(9);
  const Reply reply = inspect(longer, sent());
  EXPECT_EQ(reply.verdict, ReplyVerdict::accepted);
  EXPECT_EQ(reply.octets, whole.size());
}

TEST(ForwardReply, RefusesPointersThatLeadForwardOrInACircle) {
  const auto with_cname = [](const Octets& target) {
    return verdict(ReplyBuilder(sent()).record(6, 5, 60, target));
  };
  EXPECT_EQ(with_cname({0xc0, 0x0c}), ReplyVerdict::accepted);
  EXPECT_EQ(with_cname({1, 'a', 0xc0, 0x0c}), ReplyVerdict::accepted);
  const auto self = static_cast<std::uint8_t>(ReplyBuilder(sent()).take().size() + 12);
  EXPECT_EQ(with_cname({0xc0, self}), ReplyVerdict::malformed);
  EXPECT_EQ(with_cname({0xc0, static_cast<std::uint8_t>(self + 2)}), ReplyVerdict::malformed);
  EXPECT_EQ(with_cname({1, 'a', 0xc0, self}), ReplyVerdict::malformed);
  EXPECT_EQ(with_cname({0xc0, 0x04}), ReplyVerdict::malformed) << "into the header";
  EXPECT_EQ(with_cname({0x40, 'a', 0}), ReplyVerdict::malformed);
  EXPECT_EQ(with_cname({1, 'a', 0, 0}), ReplyVerdict::malformed) << "octets behind the name";
  EXPECT_EQ(with_cname({}), ReplyVerdict::malformed);
}

TEST(ForwardReply, RefusesANameThatLiesInATtlForTtlsChange) {
  const Octets before = ReplyBuilder(sent()).take();
  const auto ttl_at = static_cast<std::uint8_t>(before.size() + 6);
  // The TTL 0x01610000 would read as the name "a".
  EXPECT_EQ(verdict(ReplyBuilder(sent()).address(1, 0x01610000).record(6, 5, 60, {0xc0, ttl_at})),
            ReplyVerdict::malformed);
  EXPECT_EQ(verdict(ReplyBuilder(sent()).record(6, 5, 0x01610000, {0xc0, ttl_at})),
            ReplyVerdict::malformed);
}

TEST(ForwardReply, ChecksTheLengthOfAddresses) {
  EXPECT_EQ(verdict(ReplyBuilder(sent()).record(6, 1, 60, {1, 2, 3})), ReplyVerdict::malformed);
  EXPECT_EQ(verdict(ReplyBuilder(sent()).record(6, 28, 60, Octets(4))), ReplyVerdict::malformed);
  EXPECT_EQ(verdict(ReplyBuilder(sent()).record(6, 65280, 60, {1, 2, 3})), ReplyVerdict::accepted)
      << "unknown types are passed on as they are (RFC 3597)";
}

TEST(ForwardReply, TakesOneOptAndOnlyAmongTheAdditional) {
  EXPECT_EQ(verdict(ReplyBuilder(sent()).opt().opt()), ReplyVerdict::malformed);
  const Reply reply = inspect(ReplyBuilder(sent()).opt(1).take(), sent());
  EXPECT_EQ(reply.rcode, 16);
}

TEST(ForwardReply, KeepsNegativeAnswersAsLongAsTheSoaSays) {
  const auto ttl = [](const ReplyBuilder& reply) { return inspect(reply.take(), sent()).ttl_s; };
  EXPECT_EQ(ttl(ReplyBuilder(sent(), 0x8183).soa(100, 30)), 30u);
  EXPECT_EQ(ttl(ReplyBuilder(sent(), 0x8183).soa(20, 30)), 20u);
  EXPECT_EQ(ttl(ReplyBuilder(sent()).soa(100, 30)), 30u);
  EXPECT_EQ(ttl(ReplyBuilder(sent(), 0x8183)), 0u) << "no SOA";
  EXPECT_EQ(ttl(ReplyBuilder(sent())), 0u);
  EXPECT_EQ(ttl(ReplyBuilder(sent(), 0x8183).soa(1 << 20, 1 << 20)), kMaxNegativeTtl);
  EXPECT_EQ(ttl(ReplyBuilder(sent()).address(1, 1 << 20)), kMaxTtl);
  EXPECT_EQ(ttl(ReplyBuilder(sent()).address(1, 0x80000000)), 0u) << "RFC 2181, 8";
  EXPECT_EQ(ttl(ReplyBuilder(sent()).record(6, 5, 60, {0xc0, 0x0c}).soa(100, 30)), 30u)
      << "a chain that ends without the type";
  EXPECT_EQ(ttl(ReplyBuilder(sent(), 0x8182).address(1, 60)), 0u);
}

TEST(ForwardReply, WalksWhatLdnsWalks) {
  std::mt19937 random(7);
  const Octets query = sent();
  const Octets whole =
      ReplyBuilder(query).record(6, 5, 60, {1, 'a', 0xc0, 0x0c}).address(1).soa(5, 5).opt();
  int both = 0;
  for (int i = 0; i < 20000; ++i) {
    Octets changed = whole;
    for (unsigned n = 1 + random() % 3; n > 0; --n)
      changed[4 + random() % (changed.size() - 4)] = static_cast<std::uint8_t>(random());
    const Reply reply = inspect(changed, query);
    if (reply.verdict != ReplyVerdict::accepted) continue;
    const test::LdnsPacket packet = test::ldns_parse(changed);
    if (!packet) continue;
    ++both;
    EXPECT_EQ(reply.answers, ldns_rr_list_rr_count(ldns_pkt_answer(packet.get())));
    EXPECT_EQ(reply.authority, ldns_rr_list_rr_count(ldns_pkt_authority(packet.get())));
  }
  EXPECT_GT(both, 1000);
}

}  // namespace
}  // namespace viaduct::dns::forward
