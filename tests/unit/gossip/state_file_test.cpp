#include "gossip/state_file.h"

#include <gmock/gmock.h>

#include "gossip/errors.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;

constexpr base::Time kStart{};

class StateFile : public testing::Test {
 protected:
  StateFile() {
    for (Store* other : {&b, &c}) {
      EXPECT_TRUE(other->publish({RowChange("k", "of " + other->name())}, kStart));
      a.member_alive(other->name(), kStart);
      a.apply(*other->take_delta(1000), kStart);
    }
    EXPECT_TRUE(a.publish({RowChange("own", "1")}, kStart));
    a.member_gone("c", kStart);
  }

  Store a{"a", 4};
  Store b{"b", 1};
  Store c{"c", 1};
};

TEST_F(StateFile, RestoresWhatWasKnownWithItsAge) {
  const base::Bytes file = write_state(a, kStart + 60s);
  Store reborn{"a", 1};
  const auto restored = read_state(file, 5s, reborn, kStart + 1000s);
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(*restored, 2u);
  for (const char* name : {"b", "c"}) {
    const OwnerRecord* record = reborn.find(name);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->standing, Standing::restored);
    EXPECT_EQ(record->rows, a.find(name)->rows);
    EXPECT_EQ(kStart + 1000s - record->updated, 65s);
  }
  EXPECT_EQ(reborn.take_changes().size(), 2u);
  EXPECT_EQ(reborn.own().version.seq, 0u) << "our own rows come from their sources";
  ASSERT_TRUE(reborn.publish({}, kStart));
  EXPECT_EQ(reborn.own().version.epoch, 5u) << "one more than in the last life";
}

TEST_F(StateFile, WhatIsRestoredGoesTenMinutesAfterTheFirstContactUnlessItIsHeard) {
  Store reborn{"a", 1};
  ASSERT_TRUE(read_state(write_state(a, kStart), 0s, reborn, kStart));
  reborn.on_tick(kStart + 24h);
  EXPECT_TRUE(reborn.find("b") && reborn.find("c")) << "alone, it serves what it knows";
  reborn.member_alive("b", kStart + 24h);
  EXPECT_EQ(reborn.find("b")->standing, Standing::member);
  reborn.on_tick(kStart + 24h + 11min);
  EXPECT_TRUE(reborn.find("b"));
  EXPECT_FALSE(reborn.find("c"));
}

TEST_F(StateFile, DamageIsFoundAndNothingIsRestored) {
  const base::Bytes file = write_state(a, kStart);
  for (std::size_t length = 0; length < file.size(); length++) {
    Store reborn{"a", 1};
    EXPECT_FALSE(read_state(base::ByteView(file).first(length), 0s, reborn, kStart)) << length;
    EXPECT_EQ(reborn.owners().size(), 1u);
  }
  for (std::size_t at = 0; at < file.size(); at++) {
    base::Bytes flipped = file;
    flipped[at] ^= 4;
    Store reborn{"a", 1};
    EXPECT_FALSE(read_state(flipped, 0s, reborn, kStart)) << at;
  }
}

}  // namespace
}  // namespace viaduct::gossip
