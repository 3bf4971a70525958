#include "base/sorted_chunks.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace viaduct::base {
namespace {

struct First {
  int operator()(const std::pair<int, int>& pair) const { return pair.first; }
};
using List = SortedChunks<std::pair<int, int>, First>;
using Pairs = std::vector<std::pair<int, int>>;

Pairs contents(const List& list) { return {list.begin(), list.end()}; }

TEST(SortedChunks, SortsWhatItIsMadeOf) {
  const List list{{3, 0}, {1, 0}, {2, 0}};
  EXPECT_EQ(contents(list), (Pairs{{1, 0}, {2, 0}, {3, 0}}));
  EXPECT_EQ(list[2].first, 3);
  EXPECT_TRUE(List{}.empty());
  EXPECT_EQ(List{}.find(1), nullptr);
}

TEST(SortedChunks, AnEditLeavesTheOldVersionAlone) {
  const List before{{1, 1}, {2, 2}};
  List::Editor editor(before);
  editor.put({2, 20});
  editor.put({0, 0});
  editor.remove(1);
  editor.remove(77);
  const List after = editor.finish();
  EXPECT_EQ(contents(before), (Pairs{{1, 1}, {2, 2}}));
  EXPECT_EQ(contents(after), (Pairs{{0, 0}, {2, 20}}));
}

TEST(SortedChunks, EqualKeysStayBesideEachOther) {
  List::Editor editor(List{{1, 1}});
  for (int i = 0; i < 1000; i++) editor.add({1, 1});
  for (int i = 0; i < 500; i++) editor.remove(1);
  EXPECT_EQ(editor.finish().size(), 501u);
}

TEST(SortedChunks, TakesElementsThatAMoveEmpties) {
  using Texts = SortedChunks<std::string, std::identity>;
  Texts::Editor editor(Texts{"a long text that is not kept in place", "another text"});
  editor.add("a text that belongs between the other two");
  EXPECT_EQ(editor.finish()[1], "a text that belongs between the other two");
}

/// The seed of a failure is printed by the scoped trace.
TEST(SortedChunks, AnyEditsGiveWhatAMapGivesAndCompareTellsThem) {
  for (unsigned seed = 1; seed <= 20; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const unsigned keys = seed % 2 ? 50 : 5000;
    std::map<int, int> expected;
    List list;
    for (int round = 0; round < 60; round++) {
      const std::map<int, int> expected_before = expected;
      const List before = list;
      List::Editor editor(list);
      const bool shrinks = round % 20 > 12;
      for (unsigned i = 0, edits = static_cast<unsigned>(random() % 400); i < edits; i++) {
        const int key = static_cast<int>(random() % keys);
        if (random() % 4 < (shrinks ? 3U : 1U)) {
          editor.remove(key);
          expected.erase(key);
        } else {
          const int value = static_cast<int>(random() % 3);
          editor.put({key, value});
          expected[key] = value;
        }
      }
      list = editor.finish();
      ASSERT_EQ(contents(list), Pairs(expected.begin(), expected.end()));
      ASSERT_EQ(contents(before), Pairs(expected_before.begin(), expected_before.end()));
      std::map<int, int> replayed = expected_before;
      List::compare(before, list, [&](const auto* old, const auto* now) {
        if (now) {
          ASSERT_FALSE(old && *old == *now);
          replayed[now->first] = now->second;
        } else {
          ASSERT_EQ(replayed.erase(old->first), 1u);
        }
      });
      ASSERT_EQ(replayed, expected);
      const int probe = static_cast<int>(random() % keys);
      ASSERT_EQ(list.find(probe) != nullptr, expected.contains(probe));
      const auto bound = expected.lower_bound(probe);
      ASSERT_EQ(list.lower_bound(probe) == list.end(), bound == expected.end());
    }
  }
}

/// Counts how often an element's key is asked for.
struct CountedFirst {
  int operator()(const std::pair<int, int>& pair) const {
    calls++;
    return pair.first;
  }
  static inline std::size_t calls = 0;
};

TEST(SortedChunks, ComparingLooksIntoNoSharedChunk) {
  using Counted = SortedChunks<std::pair<int, int>, CountedFirst>;
  Pairs many;
  for (int i = 0; i < 100'000; i++) many.emplace_back(i, 0);
  const Counted before(many);
  Counted::Editor editor(before);
  editor.remove(50'000);
  editor.put({70'000, 1});
  const Counted after = editor.finish();
  CountedFirst::calls = 0;
  std::set<int> told;
  Counted::compare(before, after, [&](const auto* old, const auto* now) {
    told.insert((now ? now : old)->first);
  });
  EXPECT_EQ(told, (std::set<int>{50'000, 70'000}));
  EXPECT_LT(CountedFirst::calls, 8 * Counted::kMaxChunk);
}

}  // namespace
}  // namespace viaduct::base
