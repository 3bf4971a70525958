#include "dns/forward/cache.h"

#include <gtest/gtest.h>

#include <random>

#include "dns/forward/answer.h"
#include "tests/support/dns_reply.h"
#include "tests/support/ldns.h"

namespace viaduct::dns::forward {
namespace {

using namespace std::chrono_literals;
using test::Octets;
using State = Cache::State;

constexpr base::Time kStart{1000h};

CachedAnswer answer_of(std::uint32_t ttl, std::size_t octets = 40) {
  return {base::Bytes(octets), {}, ttl, 0};
}

struct Asked {
  explicit Asked(const Octets& octets)
      : message(octets),
        question(parse_question(message)),
        query(client_query(message, question, Transport::udp)) {}
  Octets message;
  Question question;
  ClientQuery query;
};

TEST(ForwardCache, KeepsAnAnswerForItsTtlAndAsStaleForADay) {
  Cache cache(1 << 20, {1, 2});
  EXPECT_EQ(cache.find("k", kStart).state, State::absent);
  cache.put("k", answer_of(100), kStart);
  EXPECT_EQ(cache.find("k", kStart + 99s).state, State::fresh);
  EXPECT_EQ(cache.find("k", kStart + 99s).age_s, 99u);
  EXPECT_EQ(cache.find("k", kStart + 100s).state, State::stale);
  EXPECT_EQ(cache.find("k", kStart + 24h).state, State::stale);
  EXPECT_EQ(cache.find("k", kStart + 24h + 100s).state, State::absent);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.octets(), 0u);
}

TEST(ForwardCache, AsksForAPrefetchInTheLastTenth) {
  Cache cache(1 << 20, {1, 2});
  cache.put("long", answer_of(100), kStart);
  cache.put("short", answer_of(9), kStart);
  EXPECT_FALSE(cache.find("long", kStart + 89s).prefetch);
  EXPECT_TRUE(cache.find("long", kStart + 90s).prefetch);
  EXPECT_FALSE(cache.find("long", kStart + 101s).prefetch);
  EXPECT_FALSE(cache.find("short", kStart + 8s).prefetch);
}

TEST(ForwardCache, RemembersAFailureShortlyAndKeepsTheOldAnswer) {
  Cache cache(1 << 20, {1, 2});
  cache.put_failure("new", 5, kStart);
  EXPECT_TRUE(cache.find("new", kStart + 1s).failed);
  EXPECT_EQ(cache.find("new", kStart + 1s).rcode, 5);
  EXPECT_FALSE(cache.find("new", kStart + kFailureTtl).failed);
  EXPECT_EQ(cache.size(), 0u);
  cache.put("old", answer_of(1), kStart);
  cache.put_failure("old", 2, kStart + 5s);
  const Cache::Found found = cache.find("old", kStart + 10s);
  EXPECT_TRUE(found.failed);
  EXPECT_EQ(found.state, State::stale);
  EXPECT_FALSE(cache.find("old", kStart + 5s + kStaleRecheck).failed);
  cache.put("old", answer_of(10), kStart + 6s);
  EXPECT_FALSE(cache.find("old", kStart + 7s).failed);
}

TEST(ForwardCache, KeepsNothingWithTtlZeroAndForgetsWhatWas) {
  Cache cache(1 << 20, {1, 2});
  cache.put("k", answer_of(10), kStart);
  cache.put("k", answer_of(0), kStart);
  EXPECT_EQ(cache.find("k", kStart).state, State::absent);
}

TEST(ForwardCache, StaysWithinItsOctetsAndKeepsWhatIsAskedFor) {
  constexpr std::size_t kLimit = 100'000;
  Cache cache(kLimit, {1, 2});
  std::mt19937 random(3);
  int hits = 0;
  for (int i = 0; i < 20'000; ++i) {
    const bool popular = random() % 2 == 0;
    const std::string key =
        popular ? "popular" + std::to_string(random() % 20) : "once" + std::to_string(i);
    if (cache.find(key, kStart).state == State::fresh)
      ++hits;
    else
      cache.put(key, answer_of(1000, 1 + random() % 500), kStart);
    ASSERT_LE(cache.octets(), kLimit);
  }
  EXPECT_GT(cache.evicted(), 5'000u);
  EXPECT_GT(hits, 9'500);  // of about 10,000 questions for the 20 popular names
  cache.put("huge", answer_of(10, kLimit), kStart);
  EXPECT_EQ(cache.find("huge", kStart).state, State::absent);
}

TEST(ForwardCache, KeepsNothingWithoutRoom) {
  Cache cache(0, {1, 2});
  cache.put("k", answer_of(10), kStart);
  cache.put_failure("k", 2, kStart);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(ForwardAnswer, IsTheClientsOwnAnswerInLdnsEyes) {
  const Octets up = test::MessageBuilder(1).question("eXample", Type::a).opt();
  const Octets message =
      test::ReplyBuilder(up, 0x85b0).address(0x01020304, 100).address(5, 50).opt();
  const CachedAnswer answer = to_answer(message, inspect(message, up), 3);
  EXPECT_EQ(answer.ttl_s, 50u);
  EXPECT_EQ(answer.upstream, 3u);
  const Asked asked(
      test::MessageBuilder(77, 0x0110).question("ExamplE", Type::a).opt({.dnssec_ok = true}));
  Octets out(1232);
  out.resize(write_answer(asked.query, answer, {7}, out));
  const test::LdnsPacket packet = test::ldns_parse(out);
  ASSERT_TRUE(packet);
  EXPECT_EQ(ldns_pkt_id(packet.get()), 77);
  EXPECT_FALSE(ldns_pkt_aa(packet.get()));
  EXPECT_TRUE(ldns_pkt_ra(packet.get()));
  EXPECT_TRUE(ldns_pkt_ad(packet.get()));
  EXPECT_TRUE(ldns_pkt_cd(packet.get()));
  EXPECT_TRUE(ldns_pkt_edns(packet.get()));
  EXPECT_TRUE(ldns_pkt_edns_do(packet.get()));
  EXPECT_EQ(test::ldns_records(ldns_pkt_answer(packet.get())),
            (std::vector<std::string>{"ExamplE. 93 IN A 1.2.3.4", "ExamplE. 43 IN A 0.0.0.5"}));
}

TEST(ForwardAnswer, SaysThatItIsStaleAndTruncatesToTheClientsLimit) {
  const Octets up = test::MessageBuilder(1).question("example", Type::a);
  test::ReplyBuilder builder(up);
  for (std::uint32_t i = 0; i < 40; ++i) builder.address(i, 100);
  const CachedAnswer answer = to_answer(builder.take(), inspect(builder.take(), up), 0);
  const Asked plain(test::MessageBuilder(2).question("example", Type::a));
  Octets out(1232);
  out.resize(write_answer(plain.query, answer, {}, out));
  EXPECT_EQ(out.size(), plain.message.size());
  EXPECT_EQ(out[2] & 0x02, 0x02);
  EXPECT_EQ(read16(&out[6]), 0);
  const Asked large(test::MessageBuilder(2).question("example", Type::a).opt());
  out.resize(1232);
  out.resize(write_answer(large.query, answer, {0, true}, out));
  const test::LdnsPacket packet = test::ldns_parse(out);
  ASSERT_TRUE(packet);
  EXPECT_EQ(ldns_rr_list_rr_count(ldns_pkt_answer(packet.get())), 40u);
  EXPECT_EQ(ldns_rr_ttl(ldns_rr_list_rr(ldns_pkt_answer(packet.get()), 0)), kStaleTtl);
  EXPECT_EQ((Octets(out.end() - 6, out.end())), (Octets{0, 15, 0, 2, 0, 3}));
}

TEST(ForwardQuery, TellsQuestionsApartThatNeedDifferentAnswers) {
  const auto key = [](const Octets& message) {
    const Asked asked(message);
    std::string made;
    write_key(asked.query, made);
    return made;
  };
  const auto plain = [](std::uint16_t flags = 0x0100) {
    return test::MessageBuilder(1, flags).question("a.example", Type::a);
  };
  EXPECT_EQ(key(plain()), key(test::MessageBuilder(9).question("A.eXample", Type::a).opt()));
  EXPECT_NE(key(plain()), key(test::MessageBuilder(1).question("a.example", Type::aaaa)));
  EXPECT_NE(key(plain()), key(plain(0x0110))) << "CD";
  EXPECT_NE(key(plain()), key(plain(0x0000))) << "RD";
  EXPECT_NE(key(plain()), key(plain().opt({.dnssec_ok = true})));
}

TEST(ForwardQuery, CarriesNothingOfTheClientButTheQuestionAndItsFlags) {
  const Octets ecs{0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2};
  const Asked asked(test::MessageBuilder(7, 0x0130)
                        .question("MiXed.example", Type::a)
                        .opt({.size = 4096, .dnssec_ok = true, .options = ecs}));
  std::mt19937_64 random(1);
  const base::Bytes sent = upstream_query(asked.query, {}, [&] { return random(); });
  const Octets wanted = test::MessageBuilder(read16(sent.data()), 0x0130)
                            .question("mixed.example", Type::a)
                            .opt({.dnssec_ok = true});
  ASSERT_EQ(sent.size(), wanted.size());
  EXPECT_FALSE(std::equal(sent.begin(), sent.end(), wanted.begin())) << "letters in mixed case";
  Octets lower(sent.begin(), sent.end());
  for (std::size_t i = 12; i < 27; ++i)
    if (lower[i] >= 'A' && lower[i] <= 'Z') lower[i] |= 0x20;
  EXPECT_EQ(lower, wanted);
}

}  // namespace
}  // namespace viaduct::dns::forward
