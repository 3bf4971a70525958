#include "dns/answer_slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>

namespace viaduct::dns {
namespace {

Name name(std::string_view text) { return Name::parse(text).value(); }

AnswerSlots slots(std::size_t names, std::uint64_t seed = 1) {
  return AnswerSlots(allocate_plain(names).value(), seed);
}

/// A record set of `records` addresses that all begin with one octet.
RecordSets addresses(std::uint8_t first, unsigned records) {
  std::vector<Record> list;
  for (unsigned i = 0; i < records; ++i)
    list.push_back(address_record(
        name("x"), base::Address::v4({first, 0, 0, static_cast<std::uint8_t>(i)}), 5));
  std::vector<base::Error> rejected;
  return compile(std::move(list), rejected);
}

/// How many A records a name has; -1: it does not exist.
int count(const AnswerSlots& slots, const Name& of) {
  Found found;
  if (!slots.find(FoldedName(of.wire()), found)) return -1;
  const auto answer = found.find(1);
  return answer ? answer->records : 0;
}

TEST(AnswerSlots, HoldWhatWasPutAndNothingElse) {
  AnswerSlots all = slots(64);
  EXPECT_EQ(count(all, name("a.b")), -1);
  EXPECT_EQ(all.put(name("a.b"), 3, addresses(1, 2)), AnswerSlots::Put::done);
  EXPECT_EQ(count(all, name("a.b")), 2);
  EXPECT_EQ(count(all, name("A.B")), 2);
  EXPECT_EQ(count(all, name("a.bb")), -1);
  all.put(name("a.b"), 3, {});
  EXPECT_EQ(count(all, name("a.b")), 0);
  all.erase(name("a.b"));
  EXPECT_EQ(count(all, name("a.b")), -1);
  EXPECT_EQ(all.size(), 0u);
}

TEST(AnswerSlots, TakeSetsAndNamesOfAnyLength) {
  AnswerSlots all = slots(64);
  const std::string label(63, 'n');
  for (const Name& of :
       {name("a"), name(label + "." + label + "." + label + "." + std::string(61, 'n'))})
    for (const unsigned records : {1u, 8u, 13u, 14u, 200u, 3u}) {
      ASSERT_EQ(all.put(of, 0, addresses(1, records)), AnswerSlots::Put::done);
      EXPECT_EQ(count(all, of), static_cast<int>(records)) << of.to_text();
    }
  const Name other = name(label + "." + label + "." + label + "." + std::string(60, 'n') + "m");
  EXPECT_EQ(count(all, other), -1) << "differs behind what a slot holds";
}

TEST(AnswerSlots, SayWhenThereIsNoRoom) {
  AnswerSlots all = slots(8);
  for (unsigned i = 0; i < 8; ++i)
    ASSERT_EQ(all.put(name("n" + std::to_string(i)), 0, addresses(1, 1)), AnswerSlots::Put::done);
  EXPECT_EQ(all.put(name("more"), 0, addresses(1, 1)), AnswerSlots::Put::full);
  EXPECT_EQ(all.put(name("n3"), 0, addresses(1, 2)), AnswerSlots::Put::done);
  all.erase(name("n0"));
  EXPECT_EQ(all.put(name("more"), 0, addresses(1, 1)), AnswerSlots::Put::done);
}

TEST(AnswerSlots, RandomlyChangedEqualAMap) {
  std::mt19937 random(3);
  AnswerSlots all = slots(256);
  std::map<std::string, unsigned> model;
  for (unsigned turn = 0; turn < 20'000; ++turn) {
    const std::string text = "n" + std::to_string(random() % 200) + ".example";
    const unsigned records = random() % 18;
    if (records == 17) {
      all.erase(name(text));
      model.erase(text);
    } else {
      ASSERT_EQ(all.put(name(text), 0, addresses(1, records)), AnswerSlots::Put::done);
      model[text] = records;
    }
  }
  for (unsigned i = 0; i < 200; ++i) {
    const std::string text = "n" + std::to_string(i) + ".example";
    const auto known = model.find(text);
    EXPECT_EQ(count(all, name(text)), known == model.end() ? -1 : static_cast<int>(known->second));
  }
  EXPECT_EQ(all.size(), model.size());
}

// A writer changes one name as fast as it can: every answer is one that was written.
TEST(AnswerSlots, AreNeverSeenHalfWritten) {
  AnswerSlots all = slots(64);
  const Name flipping = name("web.marathon.l4lb.thisdcos.directory");
  const std::array<RecordSets, 4> states{addresses(1, 8), addresses(2, 4), addresses(3, 60),
                                         addresses(4, 8)};
  all.put(flipping, 0, states[0]);
  std::atomic<bool> stop = false;
  std::atomic<unsigned> turns = 0;
  std::thread writer([&] {
    for (unsigned i = 0; !stop.load(); ++i) {
      all.put(flipping, 0, states[i % states.size()]);
      turns.store(i);
    }
  });
  const FoldedName folded(flipping.wire());
  constexpr std::array<int, 5> kWanted{0, 8, 4, 60, 8};  // records by their first octet
  unsigned torn = 0;
  for (unsigned looks = 0; looks < 20'000 || turns.load() < 1000; ++looks) {
    Found found;
    ASSERT_TRUE(all.find(folded, found));
    const auto answer = found.find(1);
    ASSERT_TRUE(answer);
    const std::uint8_t first = answer->body[12];
    torn += first > 4 || answer->records != kWanted[first];
    for (std::size_t at = 0; at + 16 <= answer->body.size(); at += 16)
      torn += answer->body[at + 12] != first || answer->body[at + 15] != at / 16;
  }
  stop = true;
  writer.join();
  EXPECT_EQ(torn, 0u);
}

}  // namespace
}  // namespace viaduct::dns
