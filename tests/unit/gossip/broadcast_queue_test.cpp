#include "gossip/broadcast_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/rng.h"

namespace viaduct::gossip {
namespace {

MessagePtr message(std::uint32_t number) { return std::make_shared<const Message>(Nack{number}); }

std::vector<Sequence> take(BroadcastQueue& queue, std::size_t budget, int limit = 10) {
  std::vector<MessagePtr> messages;
  queue.take(budget, 2, limit, messages);
  std::vector<Sequence> numbers;
  for (const auto& one : messages) numbers.push_back(std::get<Nack>(*one).sequence);
  return numbers;
}

using Numbers = std::vector<Sequence>;

TEST(BroadcastQueue, WhatWasSentLeastGoesFirstThenTheLargestThenTheNewest) {
  BroadcastQueue queue;
  queue.put(1, message(1), 50);
  queue.put(2, message(2), 100);
  queue.put(3, message(3), 50);
  EXPECT_EQ(take(queue, 1000), (Numbers{2, 3, 1}));
  queue.put(4, message(4), 20);
  EXPECT_EQ(take(queue, 1000), (Numbers{4, 2, 3, 1}));
}

TEST(BroadcastQueue, WhatDoesNotFitIsPassedOver) {
  BroadcastQueue queue;
  queue.put(1, message(1), 500);
  queue.put(2, message(2), 98);
  queue.put(3, message(3), 30);
  EXPECT_EQ(take(queue, 132), (Numbers{2, 3})) << "each costs two octets more";
  EXPECT_EQ(take(queue, 131), (Numbers{2}));
  EXPECT_EQ(take(queue, 502), (Numbers{1}));
  EXPECT_EQ(take(queue, 10), Numbers());
}

TEST(BroadcastQueue, NewerNewsAboutASubjectTakesTheOldersPlace) {
  BroadcastQueue queue;
  queue.put(1, message(1), 50);
  EXPECT_EQ(take(queue, 1000), (Numbers{1}));
  EXPECT_FALSE(queue.has_fresh());
  queue.put(1, message(2), 60);
  EXPECT_TRUE(queue.has_fresh());
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(queue.octets(), 60U);
  EXPECT_EQ(std::get<Nack>(*queue.find(1)).sequence, 2U);
  EXPECT_EQ(take(queue, 1000), (Numbers{2}));
  queue.remove(1);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.octets(), 0U);
  EXPECT_FALSE(queue.find(1));
}

TEST(BroadcastQueue, AMessageLeavesWhenItWasSentOftenEnough) {
  BroadcastQueue queue;
  queue.put(1, message(1), 50);
  for (int times = 0; times < 3; ++times) EXPECT_EQ(take(queue, 100, 3), (Numbers{1}));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(take(queue, 100, 3), Numbers());
}

/// The same, written so that it is plainly right.
class Model {
 public:
  void put(std::uint64_t subject, Sequence number, std::size_t bytes) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.subject == subject; });
    entries_.push_back({subject, number, bytes, 0, ++order_});
  }
  Numbers take(std::size_t budget, int limit) {
    Numbers taken;
    std::sort(entries_.begin(), entries_.end(), [](const Entry& left, const Entry& right) {
      return std::tuple(left.sent, ~left.bytes, ~left.order) <
             std::tuple(right.sent, ~right.bytes, ~right.order);
    });
    for (Entry& entry : entries_) {
      if (budget < 18) break;
      if (entry.bytes + 2 > budget) continue;
      budget -= entry.bytes + 2;
      taken.push_back(entry.number);
      ++entry.sent;
    }
    std::erase_if(entries_, [&](const Entry& entry) { return entry.sent >= limit; });
    return taken;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t subject;
    Sequence number;
    std::size_t bytes;
    int sent;
    std::uint64_t order;
  };
  std::vector<Entry> entries_;
  std::uint64_t order_ = 0;
};

TEST(BroadcastQueue, DoesAsTheModelDoes) {
  constexpr int kLimit = 5;
  base::Rng rng(1);
  BroadcastQueue queue;
  Model model;
  for (Sequence step = 0; step < 20'000; ++step) {
    if (rng.chance(0.4)) {
      const std::uint64_t subject = rng.below(40);
      const std::size_t bytes = 20 + rng.below(200);
      queue.put(subject, message(step), bytes);
      model.put(subject, step, bytes);
    } else {
      const std::size_t budget = rng.below(1400);
      ASSERT_EQ(take(queue, budget, kLimit), model.take(budget, kLimit)) << "step " << step;
    }
    ASSERT_EQ(queue.size(), model.size());
  }
}

}  // namespace
}  // namespace viaduct::gossip
