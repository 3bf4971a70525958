#include "gossip/serf_intent.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "gossip/engine.h"
#include "gossip/limits.h"
#include "gossip/meta.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using base::ByteView;

template <std::size_t kSize>
Bytes text(const char (&literal)[kSize]) {
  return {literal, literal + kSize - 1};
}

TEST(SerfIntent, IsWrittenAsSerfDoes) {
  EXPECT_EQ(encode_leave_intent("n2", 7), text("\x00\x83\xa5LTime\x07\xa4Node\xa2n2\xa5Prune\xc2"));
}

TEST(SerfClock, IsLaterThanAllThatWasHeard) {
  SerfClock clock;
  EXPECT_EQ(clock.next(), 1U);
  clock.hear(300);
  EXPECT_EQ(clock.next(), 301U);
  clock.hear(2);
  EXPECT_EQ(clock.next(), 302U);
  EXPECT_FALSE(clock.known());
}

TEST(SerfClock, ReadsTheStateOfAPushPull) {
  SerfClock clock;
  const Bytes state = text(
      "\x02\x83\xaa"
      "EventLTime\x63\xa6"
      "Events\x92\xc0\xc0\xa5LTime\x2a");
  clock.hear_state(state);
  EXPECT_TRUE(clock.known());
  EXPECT_EQ(clock.next(), 43U);
}

TEST(SerfClock, PassesOverAStateWithoutATime) {
  SerfClock clock;
  clock.hear_state({});
  clock.hear_state(text("\xff\x81\xa5LTime\x63"));
  EXPECT_FALSE(clock.known());
  clock.hear_state(text("\x02\x81\xa5LTime\xa1x"));
  EXPECT_EQ(clock.next(), 1U);
}

TEST(SerfIntent, IsReadOfJoinsAndLeaves) {
  const auto join = decode_intent(text("\x01\x82\xa5LTime\xcd\x02\x00\xa4Node\xa2n1"));
  ASSERT_TRUE(join);
  EXPECT_EQ(join->time, 512U);
  EXPECT_EQ(join->node, "n1");
  EXPECT_EQ(decode_intent(encode_leave_intent("n2", 7))->node, "n2");
}

TEST(SerfIntent, IsNothingElse) {
  const Bytes good = encode_leave_intent("n1", 99);
  for (std::size_t octets = 0; octets + 1 < good.size(); ++octets)
    EXPECT_FALSE(decode_intent(ByteView(good).first(octets))) << octets;
  Bytes longer = good;
  longer.resize(kMaxIntentOctets + 1);
  for (const Bytes& message :
       {text("\x03\x81\xa5LTime\x63"), text("\x00\x81\xa5LTime\xa1x"), text("\x00\xc0\xc0"),
        text("\xd6\x81\xa5LTime\x63"), encode_leave_intent("n1", ~SerfTime{0}), longer}) {
    const auto read = decode_intent(message);
    EXPECT_TRUE(!read || read->node.empty());  // a node of no name is no member
  }
}

/// What an engine that leaves sends to one other member, in order.
struct Leaving {
  explicit Leaving(Bytes meta) {
    const auto self = std::make_shared<const NodeInfo>(
        NodeInfo{"self", here, encode_tags({{kViaductTag, "1"}}), {}});
    Engine engine(self, {}, now);
    Actions out;
    const auto other = std::make_shared<const NodeInfo>(NodeInfo{"other", there, meta, {}});
    const MessagePtr alive = std::make_shared<const Message>(Alive{1, other});
    engine.on_packet({&alive, 1}, there, now, out);
    PushPull state;
    state.members = {{other, 1, NodeState::alive}};
    state.user_state = text("\x02\x81\xa5LTime\x2a");
    if (!is_viaduct(meta)) engine.on_request(state, there, now, out);
    engine.leave(now);
    engine.leave(now);
    while (engine.has_news() && now < base::Time{} + std::chrono::seconds(30)) {
      now = std::max(now, engine.next_tick());
      out.clear();
      engine.on_tick(now, out);
      for (const SendPacket& packet : out.packets)
        if (packet.to == there) note(packet);
    }
  }
  void note(const SendPacket& packet) {
    for (const MessagePtr& message : packet.messages) {
      if (const auto* user = std::get_if<User>(message.get())) intents.push_back(user->bytes);
      if (const auto* dead = std::get_if<Dead>(message.get()); dead && dead->node == "self") {
        EXPECT_EQ(dead->from, "self");
        if (ends++ == 0) intents_before_end = intents.size();
      }
    }
  }

  const base::Endpoint here{base::Address::v4({192, 0, 2, 1}), 7946};
  const base::Endpoint there{base::Address::v4({192, 0, 2, 2}), 7946};
  base::Time now{std::chrono::seconds(1)};
  std::vector<Bytes> intents;
  std::size_t ends = 0, intents_before_end = 0;
};

TEST(LeaveIntent, ComesToSerfBeforeTheEnd) {
  const Leaving leaving(encode_tags({{"role", "web"}}));
  EXPECT_THAT(leaving.intents, testing::Each(encode_leave_intent("self", 43)));
  EXPECT_GE(leaving.intents.size(), 2U);
  EXPECT_EQ(leaving.intents_before_end, leaving.intents.size());
  EXPECT_GE(leaving.ends, 1U);
}

TEST(LeaveIntent, IsNothingToOurOwn) {
  const Leaving leaving(encode_tags({{kViaductTag, "1"}}));
  EXPECT_THAT(leaving.intents, testing::IsEmpty());
  EXPECT_GE(leaving.ends, 1U);
}

/// A node of ours between two of Serf's.
struct Between {
  Between() {
    for (const auto& [name, endpoint] : {std::pair{"n1", n1}, std::pair{"n2", n2}})
      hear(Alive{1, std::make_shared<const NodeInfo>(NodeInfo{name, endpoint, {}, {}})});
  }
  void hear(Message message) {
    const auto shared = std::make_shared<const Message>(std::move(message));
    Actions out;
    engine.on_packet({&shared, 1}, n1, now, out);
  }
  /// User messages of the next seconds, to anybody.
  std::vector<Bytes> said() {
    std::vector<Bytes> all;
    for (const base::Time end = now + std::chrono::seconds(3); now < end;) {
      now = std::max(now, engine.next_tick());
      Actions out;
      engine.on_tick(now, out);
      for (const SendPacket& packet : out.packets)
        for (const MessagePtr& message : packet.messages)
          if (const auto* user = std::get_if<User>(message.get())) all.push_back(user->bytes);
    }
    return all;
  }

  const base::Endpoint n1{base::Address::v4({192, 0, 2, 1}), 7946};
  const base::Endpoint n2{base::Address::v4({192, 0, 2, 2}), 7946};
  base::Time now{std::chrono::seconds(1)};
  Engine engine{std::make_shared<const NodeInfo>(NodeInfo{"self",
                                                          {base::Address::v4({192, 0, 2, 3}), 7946},
                                                          encode_tags({{kViaductTag, "1"}}),
                                                          {}}),
                {},
                now};
};

TEST(SerfIntent, OfAnotherNodeIsPassedOnOnce) {
  Between between;
  const Bytes leave = encode_leave_intent("n1", 7);
  between.hear(User{leave});
  const auto said = between.said();
  EXPECT_THAT(said, testing::Each(leave));
  EXPECT_GE(said.size(), 2U);
  between.hear(User{leave});
  between.hear(User{encode_leave_intent("n1", 6)});
  between.hear(User{encode_leave_intent("n9", 8)});
  between.hear(User{encode_leave_intent("self", 9)});
  EXPECT_THAT(between.said(), testing::IsEmpty()) << "known, older, of no member, of this node";
  EXPECT_FALSE(between.engine.membership().leaving());
}

TEST(SerfIntent, OfAnOperatorIsNotOvertakenByAnOlderOne) {
  Between between;
  between.hear(User{encode_leave_intent("n2", 41)});
  between.said();
  Actions out;
  EXPECT_TRUE(between.engine.force_remove("n1", between.now, out));
  const Bytes join = text("\x01\x82\xa5LTime\x05\xa4Node\xa2n1");
  between.hear(User{join});
  const auto said = between.said();
  EXPECT_THAT(said, testing::Contains(encode_leave_intent("n1", 42)));
  EXPECT_THAT(said, testing::Not(testing::Contains(join)));
}

}  // namespace
}  // namespace viaduct::gossip
