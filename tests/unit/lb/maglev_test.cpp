#include "lb/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace viaduct::lb {
namespace {

std::vector<WeightedBackend> backends(int count) {
  std::vector<WeightedBackend> all;
  for (int i = 1; i <= count; i++)
    all.push_back({static_cast<std::uint32_t>(i), "192.0.2." + std::to_string(i) + ":80", 1});
  return all;
}

std::map<std::uint32_t, std::size_t> shares(const Table& table) {
  std::map<std::uint32_t, std::size_t> count;
  for (const std::uint32_t id : table) count[id]++;
  return count;
}

TEST(Maglev, FillsEverySlot) {
  const Table table = maglev(backends(10), 1009);
  EXPECT_EQ(table.size(), 1009u);
  EXPECT_EQ(std::count(table.begin(), table.end(), 0u), 0);
}

TEST(Maglev, GivesEqualWeightsEqualShares) {
  for (const auto& [id, count] : shares(maglev(backends(10), 1009)))
    EXPECT_NEAR(static_cast<double>(count), 100.9, 3.0) << id;
}

TEST(Maglev, GivesSharesByWeight) {
  auto all = backends(3);
  all[0].weight = 1;
  all[1].weight = 2;
  all[2].weight = 5;
  const auto count = shares(maglev(all, 4001));
  EXPECT_NEAR(static_cast<double>(count.at(1)), 4001.0 / 8, 8);
  EXPECT_NEAR(static_cast<double>(count.at(2)), 4001.0 / 4, 8);
  EXPECT_NEAR(static_cast<double>(count.at(3)), 4001.0 * 5 / 8, 8);
}

/// The slack that keeps changes small: nobody has much more than its share.
TEST(Maglev, NoShareIsMoreThanASixteenthTooLarge) {
  for (const int count : {2, 10, 20, 50, 120, 300, 655}) {
    const std::size_t slots = maglev_size(static_cast<std::size_t>(count));
    const double fair = static_cast<double>(slots) / count;
    const auto share = shares(maglev(backends(count), slots));
    EXPECT_EQ(share.size(), static_cast<std::size_t>(count));
    for (const auto& [id, slots_of_it] : share)
      EXPECT_LE(static_cast<double>(slots_of_it), fair * 17 / 16 + 1) << id << " of " << count;
  }
}

TEST(Maglev, AHeavyBackendBesideManyLightOnesIsDoneSoon) {
  auto all = backends(300);
  all[0].weight = 65535;
  all[1].weight = 1000;
  const auto count = shares(maglev(all, 32003));
  EXPECT_EQ(count.size(), 300u);
  EXPECT_NEAR(static_cast<double>(count.at(1)), 32003.0 * 65535 / (65535 + 1000 + 298), 400);
}

TEST(Maglev, GivesTheSmallestWeightASlotAndWeightZeroNone) {
  auto all = backends(3);
  all[0].weight = 1000;
  all[2].weight = 0;
  const auto count = shares(maglev(all, 503));
  EXPECT_GE(count.at(2), 1u);
  EXPECT_FALSE(count.contains(3));
}

TEST(Maglev, DependsOnTheSetOnly) {
  auto all = backends(7);
  const Table table = maglev(all, 1009);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(maglev(all, 1009), table);
}

TEST(Maglev, RemovingABackendMovesLittleMoreThanItsShareOfSlots) {
  auto all = backends(10);
  const Table before = maglev(all, 1009);
  all.erase(all.begin() + 4);
  const Table after = maglev(all, 1009);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < before.size(); i++) moved += before[i] != after[i];
  EXPECT_LE(moved, 1009 / 10 * 3 / 2);
}

TEST(Maglev, IsEmptyWithoutBackends) {
  EXPECT_TRUE(maglev({}, 503).empty());
  EXPECT_TRUE(maglev(backends(2), 0).empty());
}

TEST(MaglevSize, IsAPrimeOfAboutAHundredPerBackend) {
  EXPECT_EQ(maglev_size(0), 0u);
  EXPECT_EQ(maglev_size(1), 1u);
  for (std::size_t count = 2; count <= 655; count++) {
    const std::size_t size = maglev_size(count);
    EXPECT_GE(size, count * 100) << count;
    for (std::size_t d = 2; d * d <= size; d++) ASSERT_NE(size % d, 0u) << size;
  }
  EXPECT_EQ(maglev_size(1000000), 65537u);
}

}  // namespace
}  // namespace viaduct::lb
