// How real flows spread over the tables: through the programs' own hash and slot formula.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "bpf/lib/hash.h"
#include "lb/maglev.h"
#include "lb/round_robin.h"
#include "tests/support/chi_square.h"

namespace viaduct::lb {
namespace {

constexpr std::uint32_t kFlows = 20'000;

std::vector<WeightedBackend> weighted(const std::vector<std::uint16_t>& weights) {
  std::vector<WeightedBackend> all;
  for (std::size_t i = 0; i < weights.size(); i++)
    all.push_back({static_cast<std::uint32_t>(i + 1), "192.0.2." + std::to_string(i + 1) + ":8080",
                   weights[i]});
  return all;
}

vd_addr v4(std::uint32_t host_order) {
  vd_addr made{};
  made.words[2] = htonl(0xffff);
  made.words[3] = htonl(host_order);
  return made;
}

vd_addr v6(std::uint32_t last) {
  vd_addr made{};
  made.words[0] = htonl(0x20010db8);
  made.words[3] = htonl(last);
  return made;
}

/// Flows as they come: neighbouring clients, and ports that count upwards.
struct Flows {
  const char* name;
  vd_addr vip;
  vd_addr (*client)(std::uint32_t number);
};
const Flows kFlowsOfFamilies[] = {
    {"v4", v4(0x0b000001), [](std::uint32_t n) { return v4(0xc6120000U + n); }},
    {"v6", v6(0x0c0001), [](std::uint32_t n) { return v6(0x10000U + n); }},
};

/// Few clients with many connections each.
std::uint32_t flow_slot(const Flows& flows, std::uint32_t number, std::size_t slots) {
  const vd_addr client = flows.client(number % 50);
  const auto port = htons(static_cast<std::uint16_t>(32768 + number / 50));
  return vd_hash_slot(vd_hash_flow(&client, port, &flows.vip, htons(80), IPPROTO_TCP),
                      static_cast<std::uint32_t>(slots));
}

std::uint32_t client_slot(const Flows& flows, std::uint32_t number, std::size_t slots) {
  const vd_addr client = flows.client(number);
  return vd_hash_slot(vd_hash_client(&client, &flows.vip, htons(80), IPPROTO_TCP),
                      static_cast<std::uint32_t>(slots));
}

/// A socket's cookie counts upwards too.
std::uint32_t socket_slot(const Flows& flows, std::uint32_t number, std::size_t slots) {
  return vd_hash_slot(vd_hash_socket(4097 + number, &flows.vip, htons(80), IPPROTO_TCP),
                      static_cast<std::uint32_t>(slots));
}

const std::vector<std::vector<std::uint16_t>> kWeights = {
    {1, 1},
    {1, 2, 7},
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
    {100, 1000, 0, 300},
};

std::string text(const std::vector<std::uint16_t>& weights) {
  std::string out;
  for (const auto weight : weights) out += std::to_string(weight) + " ";
  return out;
}

TEST(Distribution, HashedFlowsClientsAndSocketsFollowTheWeights) {
  for (const auto& weights : kWeights) {
    const Table table = maglev(weighted(weights), maglev_size(weights.size()));
    for (const Flows& flows : kFlowsOfFamilies) {
      for (const auto slot_of : {flow_slot, client_slot, socket_slot}) {
        std::vector<std::uint64_t> seen(weights.size());
        for (std::uint32_t i = 0; i < kFlows; i++)
          seen[table[slot_of(flows, i, table.size())] - 1]++;
        EXPECT_TRUE(test::follows_weights(seen, weights)) << flows.name << ": " << text(weights);
      }
    }
  }
}

TEST(Distribution, TurnsFollowTheWeights) {
  for (const auto& weights : kWeights) {
    const Table table = round_robin(weighted(weights));
    std::vector<std::uint64_t> seen(weights.size());
    for (std::uint32_t turn = 0; turn < kFlows; turn++) seen[table[turn % table.size()] - 1]++;
    EXPECT_TRUE(test::follows_weights(seen, weights)) << text(weights);
  }
}

/// Flows that change their backend, in shares of what must: those of the one that is not in both.
double moved(const std::vector<WeightedBackend>& all, std::size_t without) {
  std::vector<WeightedBackend> others = all;
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(without));
  const std::size_t slots = maglev_size(all.size());
  const Table with_it = maglev(all, slots);
  const Table without_it = maglev(others, slots);
  double changed = 0;
  for (std::uint32_t i = 0; i < kFlows; i++) {
    const std::uint32_t slot = flow_slot(kFlowsOfFamilies[0], i, slots);
    changed += with_it[slot] != without_it[slot];
  }
  return changed / kFlows * static_cast<double>(all.size());
}

/// One that leaves and one that joins look at the same two tables.
TEST(Distribution, OneBackendMoreOrLessMovesLittleBesideItsShareOfTheFlows) {
  for (const std::size_t count : {3U, 4U, 5U, 7U, 8U, 9U, 10U, 12U, 15U, 20U, 40U, 79U}) {
    ASSERT_EQ(maglev_size(count), maglev_size(count - 1)) << "flows move when the size changes";
    const auto all = weighted(std::vector<std::uint16_t>(count, 1));
    for (std::size_t one = 0; one < count; one++)
      EXPECT_LT(moved(all, one), 1.5) << one << " of " << count;
  }
}

struct SlotsMoved {
  double all = 0;
  double must = 0;  ///< those of the backend that is not in both
};

SlotsMoved slots_moved(const std::vector<WeightedBackend>& all, std::size_t without) {
  std::vector<WeightedBackend> others = all;
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(without));
  const std::size_t slots = maglev_size(all.size());
  const Table with_it = maglev(all, slots);
  const Table without_it = maglev(others, slots);
  SlotsMoved moved;
  for (std::size_t i = 0; i < slots; i++) {
    moved.all += with_it[i] != without_it[i];
    moved.must += with_it[i] == all[without].id;
  }
  return moved;
}

TEST(Distribution, SoDoesItAmongHundreds) {
  for (const std::size_t count : {100U, 110U, 150U, 200U, 300U, 600U}) {
    ASSERT_EQ(maglev_size(count), maglev_size(count - 1));
    const auto all = weighted(std::vector<std::uint16_t>(count, 1));
    SlotsMoved sum;
    for (std::size_t i = 0; i < 10; i++) {
      const SlotsMoved one = slots_moved(all, i * count / 10);
      sum.all += one.all;
      sum.must += one.must;
    }
    EXPECT_LT(sum.all, 1.5 * sum.must) << count;
    RecordProperty("moved_of_" + std::to_string(count), std::to_string(sum.all / sum.must));
  }
}

/// Weights of one decimal order, as health and hand-made files give them.
TEST(Distribution, SoDoesOneOfAnyWeight) {
  std::vector<std::uint16_t> weights;
  for (std::uint16_t i = 0; i < 60; i++) weights.push_back(static_cast<std::uint16_t>(1 + i % 10));
  const auto all = weighted(weights);
  for (std::size_t one = 50; one < 60; one++)  // of each weight one
  {
    const SlotsMoved moved = slots_moved(all, one);
    EXPECT_LT(moved.all, 1.5 * moved.must) << weights[one];
  }
}

/// A change of weight moves about as much as the shares differ.
TEST(Distribution, ADrainedBackendsSlotsAreTheOnesThatMove) {
  auto all = weighted(std::vector<std::uint16_t>(50, 1));
  const Table before = maglev(all, maglev_size(50));
  all[17].weight = 0;
  const Table after = maglev(all, maglev_size(50));
  std::size_t others = 0;
  for (std::size_t i = 0; i < before.size(); i++)
    others += before[i] != after[i] && before[i] != all[17].id;
  EXPECT_LT(others, before.size() / 50 / 2);
}

}  // namespace
}  // namespace viaduct::lb
