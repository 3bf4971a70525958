#include "gossip/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "gossip/delta.h"
#include "gossip/encode.h"
#include "gossip/sync_batch.h"
#include "members.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;

constexpr base::Time kStart = base::Time{} + 1h;

EngineOptions with_seeds(std::vector<base::Endpoint> seeds) {
  EngineOptions options;
  options.seeds = std::move(seeds);
  return options;
}

class EngineTest : public testing::Test {
 protected:
  /// A member whose node does nothing on its own.
  void join(const std::string& name, std::uint8_t last) { hear(Alive{1, node(name, last)}); }
  void hear(Message message) {
    const MessagePtr shared = share(std::move(message));
    engine().on_packet({&shared, 1}, node("peer", 99)->endpoint, now_, out_);
  }
  void begin(EngineOptions options = {}) {
    engine_ = std::make_unique<Engine>(node("self", 1), std::move(options), now_);
  }
  Engine& engine() {
    if (!engine_) begin();
    return *engine_;
  }
  void run_for(base::Duration duration) {
    for (const base::Time end = now_ + duration; now_ < end;) {
      now_ = std::min(end, std::max(now_ + 1ms, engine().next_tick()));
      engine().on_tick(now_, out_);
    }
  }
  void publish(const std::string& key, const std::string& value) {
    std::vector<RowChange> changes;
    changes.emplace_back(key, value);
    ASSERT_TRUE(engine().publish(std::move(changes), now_));
  }
  static std::size_t octets(const SendPacket& packet) {
    std::size_t sum = 0;
    for (const auto& message : packet.messages) sum += encoded_octets(*message) + kPartOverhead;
    return sum;
  }
  template <class T>
  static std::size_t count(const SendPacket& packet) {
    return static_cast<std::size_t>(
        std::count_if(packet.messages.begin(), packet.messages.end(),
                      [](const auto& one) { return std::holds_alternative<T>(*one); }));
  }
  template <class T>
  std::size_t dialled() const {
    return static_cast<std::size_t>(
        std::count_if(out_.streams.begin(), out_.streams.end(),
                      [](const auto& one) { return std::holds_alternative<T>(one.first); }));
  }

  base::Time now_ = kStart;
  Actions out_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, NewsGoesOutSoonAndThenFromTimeToTime) {
  join("a", 2);
  run_for(1s);
  out_.clear();
  join("b", 3);
  const base::Time heard = now_;
  run_for(40ms);
  const auto about_b = [](const SendPacket& packet) {
    return std::any_of(packet.messages.begin(), packet.messages.end(), [](const auto& one) {
      const auto* alive = std::get_if<Alive>(one.get());
      return alive && alive->node->name == "b";
    });
  };
  EXPECT_TRUE(std::any_of(out_.packets.begin(), out_.packets.end(), about_b))
      << (now_ - heard) / 1ms << " ms after it came";
  run_for(10s);
  EXPECT_FALSE(engine().has_news()) << "it was sent often enough";
  EXPECT_GE(std::count_if(out_.packets.begin(), out_.packets.end(), about_b), 4);
}

TEST_F(EngineTest, NewsTravelsWithAnswers) {
  join("a", 2);
  out_.clear();
  hear(Ping{7, "self", PingSource{node("a", 2)->endpoint, "a"}});
  ASSERT_EQ(out_.packets.size(), 1U);
  EXPECT_EQ(std::get<Ack>(*out_.packets[0].messages[0]).sequence, 7U);
  EXPECT_GE(count<Alive>(out_.packets[0]), 1U);
  EXPECT_TRUE(out_.packets[0].crc) << "it is known to check it";
  out_.clear();
  hear(Ping{8, "self", {}});
  EXPECT_FALSE(out_.packets[0].crc);
}

TEST_F(EngineTest, RowsHaveRoomHoweverMuchThereIsToTellOfMembers) {
  for (std::uint8_t i = 2; i < 250; ++i) join("node-" + std::to_string(i), i);
  publish("key", std::string(100, 'x'));
  run_for(60ms);
  out_.clear();
  run_for(200ms);
  std::size_t with_rows = 0;
  std::size_t gossip = 0;
  for (const SendPacket& packet : out_.packets) {
    EXPECT_LE(octets(packet), EngineOptions{}.packet_bytes);
    if (count<Ping>(packet) > 0) continue;
    ++gossip;
    with_rows += count<User>(packet);
    EXPECT_GT(count<Alive>(packet), 5U) << "members get the rest";
  }
  EXPECT_GE(gossip, 3U);
  EXPECT_EQ(with_rows, gossip);
}

TEST_F(EngineTest, ForeignMembersGetNoRows) {
  NodeInfo info = node_info("serf", 2);
  info.meta.clear();
  hear(Alive{1, std::make_shared<const NodeInfo>(info)});
  publish("key", "value");
  run_for(30s);
  for (const SendPacket& packet : out_.packets) EXPECT_EQ(count<User>(packet), 0U);
  EXPECT_EQ(dialled<User>(), 0U);
  EXPECT_GT(dialled<PushPull>(), 0U);
  out_.clear();
  join("a", 3);
  run_for(1s);
  for (const SendPacket& packet : out_.packets) {
    if (packet.to == info.endpoint) {
      EXPECT_EQ(count<User>(packet), 0U);
    }
  }
  EXPECT_TRUE(std::any_of(out_.packets.begin(), out_.packets.end(),
                          [](const SendPacket& packet) { return count<User>(packet) > 0; }));
}

TEST_F(EngineTest, ALonelyNodeDialsItsSeedsWithoutEnd) {
  const base::Endpoint seed = node("seed", 2)->endpoint;
  begin(with_seeds({seed, seed, node("self", 1)->endpoint}));
  run_for(60s);
  EXPECT_GE(out_.streams.size(), 40U);
  for (const OpenStream& stream : out_.streams) {
    EXPECT_EQ(stream.to, seed);
    EXPECT_TRUE(std::get<PushPull>(stream.first).join);
    engine().on_stream_end(stream.id, now_, out_);
  }
  EXPECT_EQ(engine().counters().push_pulls_failed, out_.streams.size());
  out_.clear();
  join("seed", 2);
  run_for(1s);  // it answers no probe, and would be dead soon
  EXPECT_FALSE(std::any_of(out_.streams.begin(), out_.streams.end(), [](const auto& stream) {
    const auto* push_pull = std::get_if<PushPull>(&stream.first);
    return push_pull && push_pull->join;
  })) << "it is a member now";
}

TEST_F(EngineTest, TheDeadAndTheGoneAreDialledUntilTheyAreSaidToHaveLeft) {
  join("a", 2);
  join("b", 3);
  hear(Dead{1, "a", "b"});
  const auto dials = [&](base::Duration duration) {
    out_.clear();
    run_for(duration);
    return std::count_if(out_.streams.begin(), out_.streams.end(),
                         [](const auto& stream) { return stream.to == node("a", 2)->endpoint; });
  };
  // b answers nobody and is dead itself in the end.
  EXPECT_GE(dials(60s), 2);
  EXPECT_TRUE(engine().membership().gone().contains("a"));
  EXPECT_GE(dials(1min), 10);
  out_.clear();
  EXPECT_TRUE(engine().force_remove("a", now_, out_));
  EXPECT_EQ(dials(10min), 0) << "though no member came or went";
}

TEST_F(EngineTest, WhereOneDiedAnotherMayLive) {
  join("a", 2);
  hear(Dead{1, "a", "b"});
  join("new", 2);
  hear(Alive{1, node("c", 4)});
  out_.clear();
  run_for(200ms);
  for (int i = 0; i < 100; ++i) {
    hear(Alive{static_cast<Incarnation>(2 + i), node("new", 2)});
    run_for(1s);
  }
  EXPECT_FALSE(std::any_of(out_.streams.begin(), out_.streams.end(), [](const auto& stream) {
    const auto* push_pull = std::get_if<PushPull>(&stream.first);
    return push_pull && push_pull->join && stream.to == node("new", 2)->endpoint;
  }));
}

TEST_F(EngineTest, AJoinerAsksASecondAndAThirdMemberSoon) {
  PushPull all;
  for (std::uint8_t i = 2; i < 30; ++i)
    all.members.push_back({node("node-" + std::to_string(i), i), 1, NodeState::alive});
  begin(with_seeds({node("node-2", 2)->endpoint}));
  engine().on_tick(now_, out_);
  ASSERT_EQ(out_.streams.size(), 1U);
  const StreamId id = out_.streams[0].id;
  EXPECT_FALSE(engine().on_answer(id, all, now_, out_));
  engine().on_stream_end(id, now_, out_);
  EXPECT_EQ(engine().counters().push_pulls, 1U);
  EXPECT_EQ(engine().membership().members().live(), 29U);
  out_.clear();
  run_for(10s);
  EXPECT_GE(dialled<PushPull>(), 2U);
  EXPECT_GE(dialled<User>(), 1U) << "and compares tables at once";
}

TEST_F(EngineTest, AnswersThatNobodyWaitsForAreCounted) {
  EXPECT_FALSE(engine().on_answer(77, Ack{}, now_, out_));
  EXPECT_EQ(engine().counters().unexpected, 0U) << "of a stream that is closed here";
  begin(with_seeds({node("seed", 2)->endpoint}));
  engine().on_tick(now_, out_);
  EXPECT_FALSE(engine().on_answer(out_.streams.at(0).id, Ack{}, now_, out_));
  EXPECT_EQ(engine().counters().unexpected, 1U);
  EXPECT_FALSE(engine().on_request(Refusal{"no"}, {}, now_, out_));
  EXPECT_EQ(engine().counters().unexpected, 2U);
}

TEST_F(EngineTest, PingsOnStreamsAreForOneNode) {
  EXPECT_EQ(engine().on_request(Ping{7, "self", {}}, {}, now_, out_),
            (std::optional<StreamMessage>(Ack{7, {}})));
  EXPECT_FALSE(engine().on_request(Ping{7, "another", {}}, {}, now_, out_));
}

TEST_F(EngineTest, AGapInRowsIsAskedForWhereItWasHeardOf) {
  join("a", 2);
  out_.clear();
  Delta delta;
  delta.owner = owner_id("a");
  delta.base = 4;
  delta.version = {1, 5, 77};
  delta.changes.emplace_back("key", "value");
  hear(User{encode_delta(delta, 1000)});
  run_for(50ms);
  const auto asked = std::find_if(out_.streams.begin(), out_.streams.end(), [](const auto& one) {
    return std::holds_alternative<User>(one.first);
  });
  ASSERT_NE(asked, out_.streams.end());
  EXPECT_EQ(asked->to, node("peer", 99)->endpoint);
  EXPECT_EQ(engine().table().counters().pulls, 1U);
}

TEST_F(EngineTest, ADeltaThatIsBeingSentFromHereIsNotReadAgain) {
  join("a", 2);
  Delta delta;
  delta.owner = owner_id("a");
  delta.version = {1, 1, WireRow("key", "value").hash()};
  delta.changes.emplace_back("key", "value");
  hear(User{encode_delta(delta, 1000)});
  ASSERT_EQ(engine().table().store().counters().applied, 1U);
  hear(User{encode_delta(delta, 1000)});
  EXPECT_EQ(engine().table().counters().repeated, 1U);
  EXPECT_EQ(engine().table().store().counters().known, 0U);
}

TEST_F(EngineTest, MessagesOfOthersAreCountedAndLeftAlone) {
  hear(User{{0x00, 0x01, 0x02}});
  hear(User{});
  EXPECT_EQ(engine().table().counters().foreign, 2U);
  base::Bytes broken = encode_delta({owner_id("a"), 0, {1, 1, 1}, false, {}}, 1000);
  broken.resize(8);
  hear(User{broken});
  EXPECT_EQ(engine().table().counters().malformed, 1U);
}

TEST_F(EngineTest, LeavingIsToldToOthersWhoEndItThere) {
  join("a", 2);
  run_for(5s);
  out_.clear();
  engine().leave(now_);
  EXPECT_TRUE(engine().has_news());
  run_for(2s);
  EXPECT_FALSE(engine().has_news());
  std::size_t told = 0;
  for (const SendPacket& packet : out_.packets) {
    told += count<Dead>(packet);
    EXPECT_EQ(count<Ping>(packet), 0U);
  }
  EXPECT_GE(told, 4U);
  run_for(5min);
  EXPECT_TRUE(out_.streams.empty());
}

/// What is said of an earlier life, or by an operator, must not reach everybody but its node.
TEST_F(EngineTest, WhoIsSaidToHaveLeftHearsIt) {
  join("a", 2);
  join("b", 3);
  run_for(3s);
  out_.clear();
  EXPECT_TRUE(engine().force_remove("a", now_, out_));
  run_for(2s);
  EXPECT_TRUE(std::any_of(out_.packets.begin(), out_.packets.end(), [](const SendPacket& packet) {
    return packet.to == node("a", 2)->endpoint && count<Dead>(packet) > 0;
  }));
}

}  // namespace
}  // namespace viaduct::gossip
