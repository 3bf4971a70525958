#include "gossip/prober.h"

#include <gtest/gtest.h>

#include <set>

#include "members.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;

constexpr base::Time kStart = base::Time{} + 1h;

class ProberTest : public testing::Test {
 protected:
  ProberTest() { add("target", 2); }

  void add(const std::string& name, std::uint8_t last) {
    Actions none;
    membership_.on_alive({1, node(name, last)}, now_, none);
  }
  /// Everything that is due until then.
  void tick_until(base::Time end) {
    while (prober_.next_tick() <= end) {
      now_ = prober_.next_tick();
      prober_.on_tick(now_, out_);
    }
    now_ = end;
  }
  /// Runs up to the next ping, and forgets all that was sent before.
  Ping next_ping() {
    for (;;) {
      out_.clear();
      now_ = std::max(now_, prober_.next_tick());
      prober_.on_tick(now_, out_);
      for (const SendPacket& packet : out_.packets)
        if (const auto* ping = std::get_if<Ping>(packet.messages[0].get())) return *ping;
    }
  }
  template <class T>
  std::vector<T> sent() {
    std::vector<T> all;
    for (const SendPacket& packet : out_.packets)
      for (const auto& message : packet.messages)
        if (const auto* one = std::get_if<T>(message.get())) all.push_back(*one);
    return all;
  }
  NodeState state() const {
    return membership_.members()[*membership_.members().find("target")].state;
  }

  Timing timing_;
  base::Rng rng_{1};
  BroadcastQueue news_;
  base::Time now_ = kStart;
  Actions out_;
  std::vector<std::pair<base::Endpoint, Ping>> dialled_;
  Membership membership_{node("self", 1), timing_, rng_, news_, now_};
  Prober prober_{membership_, timing_,
                 [](const base::Endpoint& to, std::optional<MemberId>,
                    std::vector<MessagePtr> messages, Actions& out) {
                   out.packets.push_back({to, std::move(messages)});
                 },
                 [this](const base::Endpoint& to, const Ping& ping, Actions&) {
                   dialled_.emplace_back(to, ping);
                 },
                 now_};
};

TEST_F(ProberTest, AMemberThatAnswersIsFine) {
  for (int probe = 0; probe < 5; ++probe) {
    const Ping ping = next_ping();
    EXPECT_EQ(ping.node, "target");
    EXPECT_EQ(now_, kStart + (probe + 1) * 500ms);
    ASSERT_TRUE(ping.source);
    EXPECT_EQ(ping.source->endpoint, membership_.self()->endpoint);
    prober_.on_ack({ping.sequence, {}}, now_ + 10ms, out_);
  }
  EXPECT_EQ(state(), NodeState::alive);
  EXPECT_EQ(prober_.counters().failed, 0U);
  EXPECT_TRUE(dialled_.empty());
  EXPECT_EQ(membership_.members()[*membership_.members().find("target")].heard, now_ + 10ms);
}

TEST_F(ProberTest, WhoDoesNotAnswerIsAskedThroughOthersAndByStreamAndThenSuspected) {
  for (std::uint8_t i = 0; i < 5; ++i) add("helper-" + std::to_string(i), 10 + i);
  Ping ping = next_ping();
  while (ping.node != "target") {
    prober_.on_ack({ping.sequence, {}}, now_, out_);
    ping = next_ping();
  }
  const base::Time asked = now_;
  out_.clear();
  tick_until(asked + 199ms);
  EXPECT_TRUE(out_.packets.empty());
  tick_until(asked + 200ms);
  const auto indirect = sent<IndirectPing>();
  ASSERT_EQ(indirect.size(), 3U);
  std::set<base::Endpoint> helpers;
  for (const SendPacket& packet : out_.packets) helpers.insert(packet.to);
  EXPECT_EQ(helpers.size(), 3U);
  EXPECT_FALSE(helpers.contains(node("target", 2)->endpoint));
  EXPECT_EQ(indirect[0].target, node("target", 2)->endpoint);
  EXPECT_EQ(indirect[0].sequence, ping.sequence);
  EXPECT_TRUE(indirect[0].nack);
  ASSERT_EQ(dialled_.size(), 1U);
  EXPECT_EQ(dialled_[0].second.sequence, ping.sequence);
  for (int nack = 0; nack < 3; ++nack) prober_.on_nack({ping.sequence});
  tick_until(asked + 499ms);
  EXPECT_EQ(state(), NodeState::alive);
  tick_until(asked + 500ms);
  EXPECT_EQ(state(), NodeState::suspect);
  EXPECT_EQ(membership_.awareness().score(), 0) << "others could not reach it either";
}

TEST_F(ProberTest, AnAnswerByAnyWayIsEnough) {
  for (const bool stream : {true, false}) {
    const Ping ping = next_ping();
    tick_until(now_ + 300ms);
    if (stream)
      prober_.on_stream_ack({ping.sequence, {}}, now_);
    else
      prober_.on_ack({ping.sequence, {}}, now_, out_);
  }
  tick_until(now_ + 200ms);
  EXPECT_EQ(state(), NodeState::alive);
  EXPECT_EQ(prober_.counters().saved_by_stream, 1U);
  EXPECT_EQ(prober_.counters().saved_by_peer, 1U);
}

TEST_F(ProberTest, WhoGetsNoNacksEitherDoubtsItselfAndIsSlower) {
  for (std::uint8_t i = 0; i < 5; ++i) add("helper-" + std::to_string(i), 10 + i);
  next_ping();
  const base::Time asked = now_;
  const Ping ping = next_ping();  // as soon as the first one has failed
  const base::Time again = now_;
  EXPECT_EQ(again, asked + 500ms);
  EXPECT_EQ(membership_.awareness().score(), 3) << "one for each nack that did not come";
  tick_until(again + 1900ms);
  prober_.on_ack({ping.sequence, {}}, now_, out_);
  EXPECT_EQ(prober_.counters().failed, 1U) << "the second one has four times as long";
  tick_until(again + 2s);
  EXPECT_EQ(membership_.awareness().score(), 2);
}

TEST_F(ProberTest, ASuspectHearsOfItsSuspicionWithThePing) {
  add("other", 3);
  membership_.on_suspect({1, "target", "other"}, now_, out_);
  Ping ping = next_ping();
  while (ping.node != "target") {
    prober_.on_ack({ping.sequence, {}}, now_, out_);
    ping = next_ping();
  }
  ASSERT_EQ(sent<Suspect>().size(), 1U);
  EXPECT_EQ(sent<Suspect>()[0], (Suspect{1, "target", "self"}));
}

TEST_F(ProberTest, OldAnswersSayNothing) {
  const Ping first = next_ping();
  prober_.on_ack({first.sequence, {}}, now_, out_);
  const Ping second = next_ping();
  prober_.on_ack({first.sequence, {}}, now_, out_);
  prober_.on_ack({second.sequence + 1000, {}}, now_, out_);
  tick_until(now_ + 500ms);
  EXPECT_EQ(prober_.counters().failed, 1U);
}

TEST_F(ProberTest, PingsForThisNodeAreAnsweredWhereTheySay) {
  const base::Endpoint from = *base::Endpoint::parse("198.51.100.1:1000");
  prober_.on_ping({7, "self", {}}, from, out_);
  prober_.on_ping({8, "", PingSource{node("target", 2)->endpoint, "target"}}, from, out_);
  prober_.on_ping({9, "somebody else", {}}, from, out_);
  ASSERT_EQ(out_.packets.size(), 2U);
  EXPECT_EQ(out_.packets[0].to, from);
  EXPECT_EQ(out_.packets[1].to, node("target", 2)->endpoint);
  EXPECT_EQ(sent<Ack>()[1].sequence, 8U);
}

TEST_F(ProberTest, PingsForOthersArePassedOnWithTheirAnswers) {
  const base::Endpoint from = *base::Endpoint::parse("198.51.100.1:1000");
  const base::Endpoint target = *base::Endpoint::parse("198.51.100.2:2000");
  prober_.on_indirect_ping({70, target, "x", true, {}}, from, now_, out_);
  prober_.on_indirect_ping({71, target, "x", true, {}}, from, now_, out_);
  prober_.on_indirect_ping({72, target, "x", false, {}}, from, now_, out_);
  const auto pings = sent<Ping>();
  ASSERT_EQ(pings.size(), 3U);
  EXPECT_EQ(out_.packets[0].to, target);
  out_.clear();
  prober_.on_ack({pings[0].sequence, {1, 2}}, now_, out_);
  ASSERT_EQ(sent<Ack>().size(), 1U);
  EXPECT_EQ(sent<Ack>()[0].sequence, 70U);
  EXPECT_EQ(out_.packets[0].to, from);
  out_.clear();
  EXPECT_EQ(prober_.next_tick(), now_ + 200ms);
  now_ += 200ms;
  prober_.on_tick(now_, out_);
  ASSERT_EQ(sent<Nack>().size(), 1U) << "the third did not ask for one";
  EXPECT_EQ(sent<Nack>()[0].sequence, 71U);
  out_.clear();
  prober_.on_ack({pings[1].sequence, {}}, now_, out_);
  EXPECT_TRUE(out_.packets.empty()) << "too late";
}

TEST_F(ProberTest, RelaysAreBounded) {
  const base::Endpoint from = *base::Endpoint::parse("198.51.100.1:1000");
  for (Sequence sequence = 0; sequence < 2000; ++sequence)
    prober_.on_indirect_ping({sequence, from, "x", true, {}}, from, now_, out_);
  EXPECT_EQ(sent<Ping>().size(), 1024U);
  EXPECT_EQ(prober_.counters().relays_refused, 976U);
}

TEST_F(ProberTest, WhoLeavesProbesNobody) {
  membership_.leave(now_);
  tick_until(now_ + 10s);
  EXPECT_TRUE(out_.packets.empty());
  EXPECT_EQ(prober_.counters().probes, 0U);
}

}  // namespace
}  // namespace viaduct::gossip
