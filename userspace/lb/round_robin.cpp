#include "lb/round_robin.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace viaduct::lb {
namespace {

struct Turn {
  const WeightedBackend* backend;
  std::uint64_t weight;
};

std::vector<Turn> turns_of(std::span<const WeightedBackend> backends) {
  std::vector<Turn> turns;
  for (const WeightedBackend& backend : backends)
    if (backend.weight > 0 && turns.size() < kMaxTurns) turns.push_back({&backend, backend.weight});
  std::sort(turns.begin(), turns.end(), [](const Turn& left, const Turn& right) {
    return left.backend->name < right.backend->name;
  });
  return turns;
}

std::uint64_t total_of(const std::vector<Turn>& turns) {
  std::uint64_t total = 0;
  for (const Turn& turn : turns) total += turn.weight;
  return total;
}

void shrink(std::vector<Turn>& turns) {
  std::uint64_t divisor = 0;
  for (const Turn& turn : turns) divisor = std::gcd(divisor, turn.weight);
  for (Turn& turn : turns) turn.weight /= std::max<std::uint64_t>(divisor, 1);
  const std::uint64_t total = total_of(turns);
  if (total <= kMaxTurns) return;
  // Rounding up gives at most one turn a backend too many: those are left out of the scale.
  const std::uint64_t room = kMaxTurns - turns.size();
  for (Turn& turn : turns) turn.weight = 1 + turn.weight * room / total;
}

}  // namespace

Table round_robin(std::span<const WeightedBackend> backends) {
  std::vector<Turn> turns = turns_of(backends);
  shrink(turns);
  const std::uint64_t total = total_of(turns);
  // The n-th turn of a backend is due at (2n + 1) / (2 weight) of the round.
  struct Due {
    std::uint64_t numerator;
    std::uint64_t denominator;
    std::uint32_t id;
  };
  std::vector<Due> dues;
  dues.reserve(total);
  for (const Turn& turn : turns)
    for (std::uint64_t n = 0; n < turn.weight; n++)
      dues.push_back({2 * n + 1, turn.weight, turn.backend->id});
  std::stable_sort(dues.begin(), dues.end(), [](const Due& left, const Due& right) {
    return left.numerator * right.denominator < right.numerator * left.denominator;
  });
  Table table;
  table.reserve(dues.size());
  for (const Due& due : dues) table.push_back(due.id);
  return table;
}

}  // namespace viaduct::lb
