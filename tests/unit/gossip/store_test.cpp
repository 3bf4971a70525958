#include "gossip/store.h"

#include <gmock/gmock.h>

#include <deque>

#include "gossip/delta.h"
#include "gossip/errors.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kRoom = 1366;
constexpr base::Time kStart{};

RowChange set(std::string key, std::string value) { return RowChange(std::move(key), value); }
RowChange gone(std::string key) { return RowChange(std::move(key)); }

std::string text(const OwnerRecord* record) {
  if (!record) return "unknown";
  std::string all;
  for (const WireRow& row : record->rows.list())
    all += std::string(row.key()) + "=" + std::string(row.value()) + " ";
  return all;
}

/// Carries a whole sync that `from` begins; returns the octets that went over the wire.
std::size_t sync(Store& from, Store& to, base::Time now) {
  std::size_t octets = 0;
  std::deque<std::pair<Store*, base::Bytes>> messages;
  messages.emplace_back(&to, from.begin_sync());
  for (int count = 0; !messages.empty() && count < 10'000; count++) {
    auto [at, message] = std::move(messages.front());
    messages.pop_front();
    octets += message.size();
    Synced synced = at->on_sync(message, now);
    EXPECT_THAT(synced.refused, IsEmpty());
    for (base::Bytes& reply : synced.replies)
      messages.emplace_back(at == &to ? &from : &to, std::move(reply));
  }
  EXPECT_TRUE(messages.empty());
  return octets;
}

class Pair : public testing::Test {
 protected:
  Pair() {
    a.member_alive("b", kStart);
    b.member_alive("a", kStart);
  }
  Delta publish(Store& store, std::vector<RowChange> changes) {
    EXPECT_TRUE(store.publish(std::move(changes), kStart));
    return *store.take_delta(kRoom);
  }

  Store a{"a", 1};
  Store b{"b", 1};
};

TEST_F(Pair, ADeltaBringsRowsAndChanges) {
  const Applied first = b.apply(publish(a, {set("k1", "1"), set("k2", "1")}), kStart);
  EXPECT_EQ(first.outcome, Applied::Outcome::applied);
  EXPECT_TRUE(first.relay);
  EXPECT_EQ(text(b.find("a")), "k1=1 k2=1 ");
  const Delta second = publish(a, {gone("k1"), set("k3", "")});
  EXPECT_EQ(b.apply(second, kStart).outcome, Applied::Outcome::applied);
  EXPECT_EQ(text(b.find("a")), "k2=1 k3= ");
  EXPECT_EQ(b.find("a")->version, a.own().version);
  const Applied again = b.apply(second, kStart);
  EXPECT_EQ(again.outcome, Applied::Outcome::known);
  EXPECT_FALSE(again.relay || again.pull);
}

TEST_F(Pair, PublishingWhatIsThereIsNoVersion) {
  publish(a, {set("k1", "1")});
  const TableVersion before = a.own().version;
  EXPECT_EQ(*a.publish({set("k1", "1"), gone("k2")}, kStart), before);
  EXPECT_EQ(a.take_delta(kRoom), std::nullopt);
}

TEST_F(Pair, DeltasListAllSinceTheLastThatWasSent) {
  publish(a, {set("k1", "1")});
  EXPECT_EQ(publish(a, {set("k2", "2")}).base, 0u);
  a.delta_sent();
  publish(a, {set("k3", "3")});
  const Delta third = publish(a, {set("k1", "4")});
  EXPECT_EQ(third.base, 2u);
  EXPECT_EQ(third.version.seq, 4u);
  EXPECT_THAT(third.changes, ElementsAre(set("k1", "4"), set("k3", "3")));
  EXPECT_EQ(b.apply(third, kStart).outcome, Applied::Outcome::gap);
}

TEST_F(Pair, ADeltaThatOutgrowsThePacketDropsItsOldestChanges) {
  publish(a, {set("k1", std::string(700, '1'))});
  const Delta second = publish(a, {set("k2", std::string(700, '2'))});
  EXPECT_EQ(second.base, 1u);
  EXPECT_FALSE(second.partial);
  EXPECT_LE(encode_delta(second, kRoom).size(), kRoom);
  EXPECT_THAT(second.changes, SizeIs(1));
  const Delta third = publish(a, {set("k3", std::string(2000, '3'))});
  EXPECT_TRUE(third.partial);
  const Delta fourth = publish(a, {set("k4", "4")});
  EXPECT_EQ(fourth.base, 3u);
}

TEST_F(Pair, AGapIsPulledFromWhoToldIt) {
  publish(a, {set("k1", "1")});
  a.delta_sent();
  const Delta second = publish(a, {set("k2", "2")});
  const Applied applied = b.apply(second, kStart);
  EXPECT_EQ(applied.outcome, Applied::Outcome::gap);
  EXPECT_TRUE(applied.pull);
  EXPECT_TRUE(applied.relay) << "others may lack less";
  EXPECT_FALSE(b.apply(second, kStart).pull) << "asked already";
  EXPECT_FALSE(b.apply(second, kStart).relay);
  const OwnerId owner = a.id();
  const Synced answer = a.on_sync(b.pull({&owner, 1}, kStart), kStart);
  ASSERT_THAT(answer.replies, SizeIs(1));
  EXPECT_THAT(b.on_sync(answer.replies[0], kStart).relays, IsEmpty());
  EXPECT_EQ(text(b.find("a")), "k1=1 k2=2 ");
  EXPECT_THAT(b.on_tick(kStart + 1min), IsEmpty());
}

TEST_F(Pair, WhoDoesNotAnswerAPullIsNotTheLastOneAsked) {
  publish(a, {set("k1", "1")});
  a.delta_sent();
  EXPECT_TRUE(b.apply(publish(a, {set("k2", "2")}), kStart).pull);
  EXPECT_THAT(b.on_tick(kStart + 100ms), IsEmpty());
  base::Time now = kStart;
  int asked = 0;
  for (int i = 0; i < 20; i++) asked += static_cast<int>(b.on_tick(now += 1s).size());
  EXPECT_EQ(asked, 4) << "then it is left to the next sync";
}

TEST_F(Pair, APartialDeltaIsRelayedWhenTheRowsAreThere) {
  const Delta partial = publish(a, {set("k1", std::string(2000, '1'))});
  ASSERT_TRUE(partial.partial);
  const Applied applied = b.apply(partial, kStart);
  EXPECT_TRUE(applied.pull);
  EXPECT_FALSE(applied.relay) << "who hears it from b would ask b";
  const OwnerId owner = a.id();
  const Synced answer = a.on_sync(b.pull({&owner, 1}, kStart), kStart);
  EXPECT_THAT(b.on_sync(answer.replies.at(0), kStart).relays, ElementsAre(partial));
}

TEST_F(Pair, RowsThatNoGossipSpokeOfAreNews) {
  publish(a, {set("k1", "1")});
  const OwnerId owner = a.id();
  const Synced answer = a.on_sync(b.pull({&owner, 1}, kStart), kStart);
  const Synced synced = b.on_sync(answer.replies.at(0), kStart);
  EXPECT_THAT(synced.relays, IsEmpty());
  EXPECT_THAT(synced.found, ElementsAre(Delta{owner, 0, b.find("a")->version, true, {}}));
  EXPECT_THAT(b.on_sync(answer.replies.at(0), kStart).found, IsEmpty()) << "no news twice";
}

TEST_F(Pair, ASyncMakesTablesEqualBothWays) {
  publish(a, {set("k1", "1")});
  publish(b, {set("k2", "2")});
  Store c{"c", 1};
  for (const char* name : {"a", "b"}) c.member_alive(name, kStart);
  sync(a, b, kStart);
  sync(c, a, kStart);
  EXPECT_EQ(text(a.find("b")), "k2=2 ");
  EXPECT_EQ(text(b.find("a")), "k1=1 ");
  EXPECT_EQ(a.digest(), b.digest());
  EXPECT_EQ(a.digest(), c.digest());
  EXPECT_LT(sync(a, b, kStart), 4096u) << "equal tables cost little";
}

TEST_F(Pair, LargeTablesGoInBoundedMessages) {
  std::vector<Store> others;
  for (int i = 0; i < 300; i++) {
    Store& other = others.emplace_back("n" + std::to_string(i), 1);
    std::vector<RowChange> changes;
    for (int k = 0; k < 40; k++)
      changes.push_back(set("key" + std::to_string(1000 + k), std::string(60, 'v')));
    ASSERT_TRUE(other.publish(changes, kStart));
    a.member_alive(other.name(), kStart);
    b.member_alive(other.name(), kStart);
    const Synced taken =
        a.on_sync(other.on_sync(encode(Pull{{{other.id(), {}}}}), kStart).replies.at(0), kStart);
    EXPECT_THAT(taken.refused, IsEmpty());
  }
  const Synced answer = a.on_sync(encode(VersionList{}), kStart);
  EXPECT_THAT(answer.replies, IsEmpty());
  sync(b, a, kStart);
  EXPECT_EQ(b.digest(), a.digest());
  EXPECT_EQ(b.counters().snapshots, 300u);
}

TEST_F(Pair, ASnapshotOfManyChunksIsAppliedAsAWhole) {
  std::vector<RowChange> changes;
  for (int i = 0; i < 4000; i++)
    changes.push_back(set("key" + std::to_string(10'000 + i), std::string(40, 'v')));
  const Delta delta = publish(a, changes);
  EXPECT_TRUE(b.apply(delta, kStart).pull);
  const OwnerId owner = a.id();
  const Synced answer = a.on_sync(b.pull({&owner, 1}, kStart), kStart);
  ASSERT_GT(answer.replies.size(), 2u);
  for (const base::Bytes& reply : answer.replies) {
    EXPECT_LE(reply.size(), 64u << 10);
    EXPECT_EQ(b.find("a")->version.seq, 0u);
    b.on_sync(reply, kStart);
  }
  EXPECT_EQ(b.find("a")->version, a.own().version);
  EXPECT_EQ(b.find("a")->rows, a.own().rows);
}

TEST_F(Pair, RowsThatAreNotOfTheirVersionAreRefused) {
  Delta forged = publish(a, {set("k1", "1")});
  forged.changes[0].value = "2";
  EXPECT_EQ(b.apply(forged, kStart).outcome, Applied::Outcome::gap);
  EXPECT_EQ(text(b.find("a")), "");
  RowsWriter rows;
  rows.put({a.id(), {1, 5, 99}}, a.own().rows);
  EXPECT_THAT(b.on_sync(rows.finish().at(0), kStart).refused, SizeIs(1));
}

TEST_F(Pair, ANodeThatForgotItsLifeWinsOverItsOldRows) {
  publish(a, {set("old", "1")});
  for (int i = 0; i < 10; i++) b.apply(publish(a, {set("k", std::to_string(i))}), kStart);
  Store reborn{"a", 1};
  reborn.member_alive("b", kStart);
  EXPECT_EQ(b.apply(publish(reborn, {set("new", "1")}), kStart).outcome, Applied::Outcome::known);
  sync(reborn, b, kStart);
  EXPECT_EQ(reborn.own().version.epoch, 2u);
  sync(reborn, b, kStart);
  EXPECT_EQ(text(b.find("a")), "new=1 ");
  EXPECT_EQ(reborn.counters().clones, 0u);
}

TEST_F(Pair, ANodeThatForgotItsLifeWithdrawsNothingBeforeItPublishes) {
  b.apply(publish(a, {set("old", "1")}), kStart);
  Store reborn{"a", 1};
  reborn.member_alive("b", kStart);
  sync(reborn, b, kStart);
  sync(b, reborn, kStart);
  EXPECT_EQ(text(b.find("a")), "old=1 ");
  EXPECT_EQ(b.apply(publish(reborn, {}), kStart).outcome, Applied::Outcome::applied)
      << "it has no rows, and says so";
  EXPECT_EQ(text(b.find("a")), "");
}

TEST_F(Pair, TwoNodesOfOneNameAreFoundOutAndDoNotFightFasterThanOnceASecond) {
  Store other{"a", 1};
  const Delta first = publish(a, {set("k", "1")});
  const Delta second = publish(other, {set("k", "2")});
  b.apply(first, kStart);
  b.apply(second, kStart);
  sync(a, b, kStart);
  sync(other, b, kStart);
  base::Time now = kStart;
  for (int i = 0; i < 100; i++) {
    now += 100ms;
    for (Store* store : {&a, &other}) {
      sync(*store, b, now);
      store->on_tick(now);
    }
  }
  EXPECT_TRUE(b.find("a")->cloned);
  EXPECT_TRUE(a.own().cloned || other.own().cloned);
  EXPECT_LT(a.own().version.epoch, 25u);
  EXPECT_GT(a.own().version.epoch, 5u);
}

TEST_F(Pair, OwnersThatAreNoMembersAreKeptForAMinuteAndNotShown) {
  Store c{"c", 1};
  const Delta news = publish(c, {set("k", "1")});
  EXPECT_EQ(a.apply(news, kStart).outcome, Applied::Outcome::applied);
  EXPECT_THAT(a.take_changes(), IsEmpty());
  EXPECT_EQ(a.digest(), Store("x", 1).digest()) << "it is passed on to nobody";
  a.on_tick(kStart + 61s);
  EXPECT_FALSE(a.owners().contains(c.id()));
  a.apply(news, kStart + 61s);
  a.member_alive("c", kStart + 62s);
  a.on_tick(kStart + 10min);
  EXPECT_EQ(text(a.find("c")), "k=1 ");
  const auto changes = a.take_changes();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].owner, "c");
}

TEST_F(Pair, ThereIsRoomForFewStrangers) {
  for (std::size_t i = 0; i < kMaxStrangers; i++)
    EXPECT_TRUE(a.apply({i + 1, 0, {1, 2, 0}, true, {}}, kStart).pull);
  const Applied over = a.apply({999, 0, {1, 2, 0}, true, {}}, kStart);
  EXPECT_EQ(over.outcome, Applied::Outcome::refused);
  EXPECT_EQ(over.reason.code, Errc::unknown_owner);
  a.on_tick(kStart + 61s);
  EXPECT_TRUE(a.apply({999, 0, {1, 2, 0}, true, {}}, kStart + 61s).pull);
}

TEST_F(Pair, OwnersThatAreGoneAreKeptTenMinutes) {
  const Delta news = publish(b, {set("k", "1")});
  a.apply(news, kStart);
  a.take_changes();
  a.member_gone("b", kStart);
  a.on_tick(kStart + 9min);
  a.member_alive("b", kStart + 9min);
  a.on_tick(kStart + 11min);
  EXPECT_EQ(text(a.find("b")), "k=1 ") << "it came back in time, with nothing to ask for";
  a.member_gone("b", kStart + 20min);
  a.on_tick(kStart + 31min);
  EXPECT_EQ(a.find("b"), nullptr);
  const auto changes = a.take_changes();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_TRUE(changes[0].dropped);
  EXPECT_THAT(changes[0].removed, SizeIs(1));
  EXPECT_EQ(a.digest(), Store("x", 1).digest());
}

TEST_F(Pair, ADroppedOwnerIsNotHandedRoundForEver) {
  const Delta news = publish(b, {set("k", "1")});
  Store c{"c", 1};
  for (Store* store : {&a, &c}) {
    store->member_alive(store == &a ? "c" : "a", kStart);
    store->member_alive("b", kStart);
    store->apply(news, kStart);
  }
  a.member_gone("b", kStart);
  c.member_gone("b", kStart + 30s);
  base::Time now = kStart;
  for (int i = 0; i < 100; i++) {
    now += 10s;
    for (Store* store : {&a, &c}) store->on_tick(now);
    sync(a, c, now);
    sync(c, a, now);
  }
  EXPECT_FALSE(a.owners().contains(b.id()));
  EXPECT_FALSE(c.owners().contains(b.id()));
}

TEST_F(Pair, ChangesAreToldOnceAndOnlyWhatDiffers) {
  b.apply(publish(a, {set("k1", "1"), set("k2", "1"), set("k3", "1")}), kStart);
  EXPECT_THAT(b.take_changes().at(0).added, SizeIs(3));
  EXPECT_THAT(b.take_changes(), IsEmpty());
  b.apply(publish(a, {set("k2", "2"), gone("k3"), set("k4", "1")}), kStart);
  b.apply(publish(a, {gone("k4")}), kStart);
  const auto changes = b.take_changes();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_THAT(changes[0].removed, ElementsAre(WireRow("k2", "1"), WireRow("k3", "1")));
  EXPECT_THAT(changes[0].added, ElementsAre(WireRow("k2", "2")));
}

TEST_F(Pair, TooManyRowsAreRefusedAndTheOthersStay) {
  std::vector<RowChange> changes;
  for (std::size_t i = 0; i < kMaxRowsPerOwner; i++)
    changes.push_back(set("k" + std::to_string(100'000 + i), ""));
  ASSERT_TRUE(a.publish(changes, kStart));
  const auto over = a.publish({set("one more", "")}, kStart);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Errc::too_large);
  EXPECT_EQ(a.own().rows.size(), kMaxRowsPerOwner);
  ASSERT_TRUE(b.publish({set("k", std::string(4000, 'x'))}, kStart));
  std::vector<RowChange> large;
  for (int i = 0; i < 300; i++)
    large.push_back(set("l" + std::to_string(i), std::string(4000, 'x')));
  EXPECT_EQ(b.publish(large, kStart).error().code, Errc::too_large);
}

TEST(Rows, CountsVipsAsTheyComeAndGo) {
  const auto key = [](char vip, char backend) {
    return std::string("\x01\x0b\x00\x00", 4) + vip + std::string("\x00\x50\xc0\x00\x02", 5) +
           backend + std::string("\x79\x18", 2);
  };
  Rows rows = Rows().changed(std::vector{set(key(1, 1), ""), set(key(1, 2), ""), set("\x02", "")});
  EXPECT_EQ(rows.vips(), 1u);
  rows = rows.changed(std::vector{gone(key(1, 1)), set(key(2, 1), "")});
  EXPECT_EQ(rows.vips(), 2u);
  rows = rows.changed(std::vector{gone(key(1, 2)), gone(key(9, 9))});
  EXPECT_EQ(rows.vips(), 1u);
  EXPECT_EQ(rows, Rows({WireRow("\x02", ""), WireRow(key(2, 1), "")}));
  EXPECT_EQ(rows.vips(), Rows({WireRow("\x02", ""), WireRow(key(2, 1), "")}).vips());
  std::vector<RowChange> many;
  for (std::size_t i = 0; i <= kMaxVipsPerOwner; i++) {
    std::string one = key(1, 1);
    one[2] = static_cast<char>(i >> 8);
    one[3] = static_cast<char>(i & 0xff);
    many.push_back(set(one, ""));
  }
  EXPECT_EQ(Rows().changed(many).check().error().code, Errc::too_large);
}

}  // namespace
}  // namespace viaduct::gossip
