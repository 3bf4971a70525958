#include "lb/round_robin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace viaduct::lb {
namespace {

std::vector<WeightedBackend> weighted(const std::vector<std::uint16_t>& weights) {
  std::vector<WeightedBackend> all;
  for (std::size_t i = 0; i < weights.size(); i++)
    all.push_back(
        {static_cast<std::uint32_t>(i + 1), "backend " + std::to_string(1000 + i), weights[i]});
  return all;
}

std::map<std::uint32_t, std::size_t> shares(const Table& table) {
  std::map<std::uint32_t, std::size_t> count;
  for (const std::uint32_t id : table) count[id]++;
  return count;
}

TEST(RoundRobin, GivesEachItsTurnsAndNoMore) {
  EXPECT_EQ(round_robin(weighted({1, 1, 1})), (Table{1, 2, 3}));
  EXPECT_EQ(round_robin(weighted({10, 10})), (Table{1, 2})) << "only the ratio matters";
  EXPECT_EQ(shares(round_robin(weighted({1, 2, 7}))),
            (std::map<std::uint32_t, std::size_t>{{1, 1}, {2, 2}, {3, 7}}));
}

TEST(RoundRobin, LeavesOutWhoDrainsAndIsEmptyWithoutBackends) {
  EXPECT_EQ(round_robin(weighted({0, 3})), (Table{2}));
  EXPECT_EQ(round_robin(weighted({0, 0})), Table{});
  EXPECT_EQ(round_robin({}), Table{});
}

TEST(RoundRobin, SpreadsTheTurnsOfTheHeavy) {
  const Table table = round_robin(weighted({5, 1, 1}));
  EXPECT_EQ(table.size(), 7u);
  std::size_t run = 0, longest = 0;
  for (const std::uint32_t id : table) {
    run = id == 1 ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  EXPECT_LE(longest, 3u);
}

TEST(RoundRobin, DependsOnTheSetOfBackendsOnly) {
  auto all = weighted({3, 1, 4, 1, 5});
  const Table table = round_robin(all);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(round_robin(all), table);
}

TEST(RoundRobin, LargeWeightsAreScaledIntoTheTableAndNobodyIsForgotten) {
  std::mt19937 random(7);
  std::vector<std::uint16_t> weights;
  for (int i = 0; i < 2000; i++) weights.push_back(static_cast<std::uint16_t>(1 + random() % 1000));
  const Table table = round_robin(weighted(weights));
  EXPECT_LE(table.size(), kMaxTurns);
  EXPECT_EQ(shares(table).size(), 2000u);
  const Table two = round_robin(weighted({997, 3}));
  EXPECT_EQ(shares(two).at(1), 997u);
  EXPECT_EQ(shares(two).at(2), 3u);
}

}  // namespace
}  // namespace viaduct::lb
