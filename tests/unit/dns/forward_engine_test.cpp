#include "dns/forward/engine.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/dns_reply.h"

namespace viaduct::dns::forward {
namespace {

using namespace std::chrono_literals;
using From = Origin::From;
using test::Octets;
using test::ReplyBuilder;

/// An engine, its clock, and what it wants done.
class ForwardEngine : public testing::Test {
 protected:
  void make(std::size_t upstreams, Dispatch dispatch = Dispatch::both) {
    Options options;
    options.dispatch = dispatch;
    for (std::size_t i = 0; i < upstreams; ++i)
      options.upstreams.push_back({base::Address::v4(0xc0000201 + static_cast<unsigned>(i)), 53});
    engine_.emplace(options, [this] { return random_(); });
  }

  /// @return the answer if it is ready at once.
  Octets ask(const std::string& name, Ticket ticket = 1, std::uint32_t client = 1) {
    const Octets query =
        test::MessageBuilder(static_cast<std::uint16_t>(ticket)).question(name, Type::a);
    Octets out(kMaxUdpOctets);
    const auto [octets, origin] =
        engine_->ask(query, parse_question(query), Transport::udp, base::Address::v4(client),
                     ticket, now_, out, actions_);
    origin_ = origin;
    collect();
    out.resize(octets);
    return out;
  }
  void pass(base::Duration time) {
    const base::Time end = now_ + time;
    for (auto next = engine_->next_time(); next && *next <= end; next = engine_->next_time()) {
      now_ = std::max(now_, *next);
      engine_->on_time(now_, actions_);
      collect();
    }
    now_ = end;
  }
  void reply(const Send& to, const Octets& message) {
    engine_->on_message(to.exchange, message, now_, actions_);
    collect();
  }
  void refuse(const Send& to) {
    engine_->on_error(to.exchange, now_, actions_);
    collect();
  }

  /// Sorts the actions out.
  void collect() {
    for (Action& action : actions_) {
      if (auto* send = std::get_if<Send>(&action)) sent_.push_back(std::move(*send));
      if (auto* answer = std::get_if<Answer>(&action)) answers_.push_back(std::move(*answer));
      if (auto* aside = std::get_if<Aside>(&action)) asides_.push_back(aside->upstream);
    }
    actions_.clear();
  }
  std::vector<Send> take_sent() { return std::exchange(sent_, {}); }
  std::vector<Answer> take_answers() { return std::exchange(answers_, {}); }
  static int rcode(const Octets& message) { return message.size() < 12 ? -1 : message[3] & 15; }

  /// Nothing is held once everybody was answered and time went by.
  void expect_empty() {
    pass(10s);
    const Stats stats = engine_->stats(now_);
    EXPECT_EQ(stats.waiting, 0u);
    EXPECT_EQ(stats.lookups, 0u);
    EXPECT_EQ(stats.exchanges, 0u);
    EXPECT_FALSE(engine_->next_time());
  }

  std::mt19937_64 random_{1};
  base::Time now_{1000h};
  std::optional<Engine> engine_;
  Actions actions_;
  std::vector<Send> sent_;
  std::vector<Answer> answers_;
  std::vector<std::size_t> asides_;
  Origin origin_;
};

TEST_F(ForwardEngine, AsksTwoAtOnceUnderDifferentIdsAndTheFirstSoundAnswerWins) {
  make(2);
  EXPECT_TRUE(ask("a.example").empty());
  const auto sent = take_sent();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_NE(sent[0].upstream, sent[1].upstream);
  EXPECT_NE(read16(sent[0].message.data()), read16(sent[1].message.data()));
  reply(sent[1], test::honest_reply(sent[1].message));
  const auto answers = take_answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(test::address_in(answers[0].message), test::true_address(sent[0].message));
  EXPECT_EQ(answers[0].origin.from, From::upstream);
  reply(sent[0], test::honest_reply(sent[0].message));
  EXPECT_TRUE(take_answers().empty()) << "once only";
  EXPECT_FALSE(ask("a.example").empty());
  EXPECT_EQ(origin_.from, From::cache);
  EXPECT_TRUE(take_sent().empty());
  expect_empty();
}

TEST_F(ForwardEngine, HedgedAsksTheSecondOnlyWhenTheFirstTakesItsTime) {
  make(2, Dispatch::hedged);
  // Both are known, so that no probe is due.
  engine_->probe_loops(now_, actions_);
  collect();
  for (const Send& send : take_sent()) reply(send, ReplyBuilder(send.message, 0x8183));
  pass(1ms);
  ask("a.example");
  ASSERT_EQ(take_sent().size(), 1u);
  pass(9ms);
  EXPECT_TRUE(take_sent().empty());
  pass(1ms);
  EXPECT_EQ(take_sent().size(), 1u);
  pass(5s);
  expect_empty();
}

TEST_F(ForwardEngine, AnErrorCodeDoesNotWinWhileAnotherMayStillAnswer) {
  make(2);
  ask("a.example");
  auto sent = take_sent();
  reply(sent[0], ReplyBuilder(sent[0].message, 0x8182));
  EXPECT_TRUE(take_answers().empty());
  reply(sent[1], test::honest_reply(sent[1].message));
  EXPECT_EQ(take_answers().size(), 1u);
  ask("b.example", 2);
  sent = take_sent();
  reply(sent[0], ReplyBuilder(sent[0].message, 0x8185));
  reply(sent[1], ReplyBuilder(sent[1].message, 0x8182));
  const auto answers = take_answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(rcode(answers[0].message), 5) << "the first that came";
  EXPECT_EQ(rcode(ask("b.example", 3)), 5) << "and it is kept for a moment";
  EXPECT_TRUE(take_sent().empty());
  expect_empty();
}

TEST_F(ForwardEngine, TurnsToTheNextAtOnceWhenOneRefusesAndFailsWhenAllDo) {
  make(4);
  ask("a.example");
  auto sent = take_sent();  // two, and a probe of the third
  ASSERT_EQ(sent.size(), 3u);
  std::size_t refused = 0;
  while (refused < sent.size() && refused < 20) {
    refuse(sent[refused++]);
    const auto more = take_sent();
    sent.insert(sent.end(), more.begin(), more.end());
  }
  EXPECT_LE(sent.size(), 5u);
  const auto answers = take_answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(rcode(answers[0].message), 2);
  EXPECT_EQ(engine_->stats(now_).routes[0].counts.failures, 1u);
  expect_empty();
}

TEST_F(ForwardEngine, FailsAfterFourSecondsOfSilenceWithAtMostEightQueries) {
  make(3);
  ask("a.example");
  pass(3999ms);
  EXPECT_TRUE(take_answers().empty());
  pass(1ms);
  const auto answers = take_answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(rcode(answers[0].message), 2);
  EXPECT_LE(take_sent().size(), static_cast<std::size_t>(kMaxAttempts));
  ask("b.example", 2);
  pass(kDownLookupLimit);
  EXPECT_EQ(take_answers().size(), 1u) << "sooner, for all are down";
  expect_empty();
}

TEST_F(ForwardEngine, GoesToTcpWhenSomebodyGuessesAndBelievesNothingOfIt) {
  make(1);
  ask("a.example");
  const Send udp = take_sent().at(0);
  for (int i = 0; i < kMaxBadReplies; ++i) {
    EXPECT_TRUE(take_sent().empty());
    const auto guess = static_cast<std::uint16_t>(read16(udp.message.data()) + 1 + i);
    reply(udp, ReplyBuilder(udp.message).id(guess).address(66));
  }
  const auto sent = take_sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].transport, Transport::tcp);
  reply(udp, test::honest_reply(udp.message));
  EXPECT_TRUE(take_answers().empty()) << "UDP counts no more";
  reply(sent[0], test::honest_reply(sent[0].message));
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(test::address_in(answers_[0].message), test::true_address(udp.message));
  EXPECT_EQ(engine_->stats(now_).upstreams[0].counts.bad_replies,
            static_cast<std::uint64_t>(kMaxBadReplies));
  expect_empty();
}

TEST_F(ForwardEngine, CoalescesAndCountsEachClientsQueries) {
  make(1);
  for (Ticket ticket = 1; ticket <= kMaxWaitingPerClient; ++ticket)
    EXPECT_TRUE(ask(ticket % 2 ? "a.example" : "b.example", ticket).empty());
  EXPECT_EQ(rcode(ask("a.example", 999)), 2) << "over its limit, even for what is asked already";
  EXPECT_TRUE(ask("a.example", 1000, 2).empty()) << "another client";
  const auto sent = take_sent();
  ASSERT_EQ(sent.size(), 2u);
  for (const Send& send : sent) reply(send, test::honest_reply(send.message));
  const auto answers = take_answers();
  ASSERT_EQ(answers.size(), kMaxWaitingPerClient + 1);
  for (const Answer& answer : answers)
    EXPECT_EQ(read16(answer.message.data()), static_cast<std::uint16_t>(answer.ticket));
  expect_empty();
}

TEST_F(ForwardEngine, LimitsAllClientsTogether) {
  make(1);
  for (Ticket ticket = 0; ticket < kMaxWaiting; ++ticket)
    ASSERT_TRUE(ask("n" + std::to_string(ticket) + ".example", ticket + 1,
                    static_cast<std::uint32_t>(1 + ticket / 100))
                    .empty());
  EXPECT_EQ(rcode(ask("more.example", 1, 999)), 2);
  EXPECT_EQ(engine_->stats(now_).counts.over_limit, 1u);
  pass(10s);
  EXPECT_EQ(take_answers().size(), kMaxWaiting);
  expect_empty();
}

TEST_F(ForwardEngine, ServesStaleAfterItsTimeOrWhenAllFailAndThenAtOnce) {
  make(1);
  ask("a.example");
  const Send first = take_sent().at(0);
  reply(first, test::honest_reply(first.message, 60));
  take_answers();
  pass(61s);
  EXPECT_TRUE(ask("a.example", 2).empty());
  pass(kStaleAfter - 1ms);
  EXPECT_TRUE(take_answers().empty());
  pass(1ms);
  auto answers = take_answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].origin.from, From::stale);
  EXPECT_EQ(test::address_in(answers[0].message), test::true_address(first.message));
  pass(3s);  // the lookup failed meanwhile
  take_sent();
  EXPECT_FALSE(ask("a.example", 3).empty()) << "at once";
  EXPECT_EQ(origin_.from, From::stale);
  EXPECT_TRUE(take_sent().empty());
  pass(kStaleRecheck);
  EXPECT_TRUE(ask("a.example", 4).empty());
  const auto sent = take_sent();
  ASSERT_FALSE(sent.empty());
  refuse(sent[0]);
  answers = take_answers();
  ASSERT_EQ(answers.size(), 1u) << "no need to wait when all refused";
  EXPECT_EQ(answers[0].origin.from, From::stale);
  expect_empty();
}

TEST_F(ForwardEngine, FetchesAgainInTheLastTenthOfTheTtlWhileItAnswers) {
  make(1);
  ask("a.example");
  Send send = take_sent().at(0);
  reply(send, test::honest_reply(send.message, 100));
  pass(95s);
  for (Ticket ticket = 2; ticket < 5; ++ticket) EXPECT_FALSE(ask("a.example", ticket).empty());
  const auto sent = take_sent();
  ASSERT_EQ(sent.size(), 1u);
  reply(sent[0], test::honest_reply(sent[0].message, 100));
  pass(50s);
  EXPECT_FALSE(ask("a.example", 6).empty());
  EXPECT_TRUE(take_sent().empty());
  EXPECT_EQ(engine_->stats(now_).counts.prefetched, 1u);
  expect_empty();
}

TEST_F(ForwardEngine, KeepsAnUpstreamOutThatFailedAndTakesItBack) {
  make(3);
  // The first is dead, the others answer after a while.
  const auto serve = [&](bool first_answers) {
    static int n = 0;
    ask("n" + std::to_string(++n) + ".example");
    bool asked_first = false;
    pass(5ms);
    for (const Send& send : take_sent()) {
      asked_first = asked_first || send.upstream == 0;
      if (send.upstream != 0 || first_answers) reply(send, test::honest_reply(send.message));
    }
    pass(95ms);
    return asked_first;
  };
  int asked = 0;
  for (int i = 0; i < 600; ++i) asked += serve(false);
  EXPECT_LT(asked, 90) << "about once a second in 60 s, and a few before it was known";
  EXPECT_GT(asked, 30);
  asked = 0;
  for (int i = 0; i < 100; ++i) serve(true);
  for (int i = 0; i < 100; ++i) asked += serve(true);
  EXPECT_GT(asked, 10) << "it is one of three again";
  expect_empty();
}

TEST_F(ForwardEngine, SetsAsideAnUpstreamThatBringsItsQueriesBack) {
  make(2);
  engine_->probe_loops(now_, actions_);
  collect();
  const auto probes = take_sent();
  ASSERT_EQ(probes.size(), 2u);
  // The second hands it on under another id and in lower case.
  Octets back(probes[1].message.begin(), probes[1].message.end());
  write16(back.data(), 99);
  Octets out(kMaxUdpOctets);
  const auto [octets, origin] = engine_->ask(back, parse_question(back), Transport::udp,
                                             base::Address::v4(5), 9, now_, out, actions_);
  EXPECT_EQ(out[3] & 15, 5);
  EXPECT_GT(octets, 0u);
  collect();
  EXPECT_EQ(asides_, std::vector<std::size_t>{1});
  ask("a.example");
  auto sent = take_sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].upstream, 0u);
  EXPECT_TRUE(engine_->is_own_query(sent[0].exchange, sent[0].message, now_, actions_));
  collect();
  EXPECT_EQ(asides_, (std::vector<std::size_t>{1, 0}));
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(rcode(answers_[0].message), 2);
  expect_empty();
}

TEST_F(ForwardEngine, LeaksNothingWhateverUpstreamsDo) {
  make(4);
  std::vector<Send> open;
  Ticket tickets = 0;
  std::size_t answered = 0;
  for (int i = 0; i < 20'000; ++i) {
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        if (!ask("n" + std::to_string(random_() % 500) + ".example", ++tickets,
                 static_cast<std::uint32_t>(random_() % 9))
                 .empty())
          ++answered;
        break;
      case 3:
        pass(random_() % 300 * 1ms);
        break;
      default: {
        if (open.empty()) break;
        const std::size_t at = random_() % open.size();
        const Send send = open[at];
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
        const Octets message = [&]() -> Octets {
          switch (random_() % 7) {
            case 0:
              return ReplyBuilder(send.message, 0x8380);
            case 1:
              return ReplyBuilder(send.message,
                                  static_cast<std::uint16_t>(0x8180 | random_() % 16));
            case 2:
              return ReplyBuilder(send.message).id(5).address(66);
            case 3: {
              Octets lower = test::honest_reply(send.message);
              for (std::size_t n = 12; n < 20; ++n)
                if (lower[n] >= 'A' && lower[n] <= 'Z') lower[n] |= 0x20;
              return lower;
            }
            default:
              return test::honest_reply(send.message, static_cast<std::uint32_t>(random_() % 20));
          }
        }();
        if (random_() % 6 == 0)
          refuse(send);
        else
          reply(send, message);
      }
    }
    const auto more = take_sent();
    open.insert(open.end(), more.begin(), more.end());
    answered += take_answers().size();
  }
  pass(10s);
  answered += take_answers().size();
  EXPECT_EQ(answered, tickets) << "every client gets one answer";
  take_sent();
  expect_empty();
}

}  // namespace
}  // namespace viaduct::dns::forward
