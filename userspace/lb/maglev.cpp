#include "lb/maglev.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace viaduct::lb {
namespace {

/// FNV-1a with a final mix (MurmurHash3's), 64 bits: stable over releases, since all nodes must
/// build equal tables.
std::uint64_t stable_hash(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ULL;
  return hash ^ hash >> 33;
}

// Fixed point: every machine must get the same numbers.
constexpr std::uint64_t kOne = 1 << 16;
constexpr std::uint64_t kSlackOfABackend = kOne / 2000;
constexpr std::uint64_t kSlackMost = kOne / 16;

/// Most slots that a backend takes: its share by weight, rounded up, and some slack, which a change
/// of the set uses instead of moving others' slots. What would move grows with the backends, so the
/// slack does too. Whose slack is rounded up is a matter of the name: with one rounding for all,
/// all would change at once.
std::uint64_t most_slots(const WeightedBackend& backend, std::uint64_t weights,
                         std::size_t backends, std::size_t slots) {
  const std::uint64_t scaled = slots * backend.weight;
  const std::uint64_t share = kOne * scaled / weights;
  const std::uint64_t slack = share * std::min(kSlackMost, kSlackOfABackend * backends) / kOne;
  const std::uint64_t rounding = stable_hash(backend.name, 0xd6e8feb86659fd93ULL) % kOne;
  return std::max((scaled + weights - 1) / weights, (share + slack + rounding) / kOne);
}

struct Candidate {
  std::uint32_t id;
  std::uint64_t weight;
  std::uint64_t credit;  ///< a turn is due when it reaches the largest weight
  std::size_t next;      ///< position in the backend's permutation, as a slot
  std::size_t skip;
  std::uint64_t room;  ///< slots that it may still take
  bool begun = false;

  void step(std::size_t slots) {
    next += skip;
    if (next >= slots) next -= slots;
  }
};

std::uint64_t largest_weight(const std::vector<Candidate>& turns) {
  std::uint64_t largest = 0;
  for (const Candidate& candidate : turns) largest = std::max(largest, candidate.weight);
  return largest;
}

/// Who has all takes no more turns; of the others the heaviest has one a round from now on.
void drop_full(std::vector<Candidate>& turns, std::uint64_t largest_before) {
  std::erase_if(turns, [](const Candidate& candidate) { return candidate.room == 0; });
  const std::uint64_t largest = largest_weight(turns);
  for (Candidate& candidate : turns) candidate.credit = candidate.credit * largest / largest_before;
}

/// Everyone's first turn comes in the first round, so that a small weight still gets a slot.
std::vector<Candidate> candidates(std::span<const WeightedBackend> backends, std::size_t slots) {
  std::vector<const WeightedBackend*> sorted;
  for (const WeightedBackend& backend : backends)
    if (backend.weight > 0) sorted.push_back(&backend);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* left, const auto* right) { return left->name < right->name; });
  std::uint64_t weights = 0;
  for (const WeightedBackend* backend : sorted) weights += backend->weight;

  std::vector<Candidate> result;
  result.reserve(sorted.size());
  for (const WeightedBackend* backend : sorted) {
    const std::size_t offset = stable_hash(backend->name, 0x9ae16a3b2f90404fULL) % slots;
    const std::size_t skip =
        slots > 1 ? stable_hash(backend->name, 0xc3a5c85c97cb3127ULL) % (slots - 1) + 1 : 1;
    result.push_back({backend->id, backend->weight, 0, offset, skip,
                      most_slots(*backend, weights, sorted.size(), slots)});
  }
  const std::uint64_t largest = largest_weight(result);
  for (Candidate& candidate : result) candidate.credit = largest - candidate.weight;
  return result;
}

/// A turn whose slot is taken is lost. Taking the next free one instead would make it depend on
/// everyone before; so it depends on those only who want the same slot. The first turn is not lost:
/// nobody is left without a slot.
/// @return whether it took a slot.
bool take_turn(Candidate& candidate, Table& table) {
  if (!candidate.begun)
    while (table[candidate.next] != 0) candidate.step(table.size());
  candidate.begun = true;
  std::uint32_t& slot = table[candidate.next];
  candidate.step(table.size());
  if (slot != 0) return false;
  slot = candidate.id;
  candidate.room--;
  return true;
}

}  // namespace

std::size_t maglev_size(std::size_t backends) {
  // Primes; each serves up to a hundredth of its value in backends.
  static constexpr std::array<std::size_t, 8> kSizes = {503,  1009,  2003,  4001,
                                                        8009, 16001, 32003, 65537};
  if (backends <= 1) return backends;
  for (const std::size_t size : kSizes)
    if (backends <= size / 100) return size;
  return kSizes.back();
}

Table maglev(std::span<const WeightedBackend> backends, std::size_t slots) {
  std::vector<Candidate> turns = slots ? candidates(backends, slots) : std::vector<Candidate>{};
  if (turns.empty()) return {};
  Table table(slots, 0);
  std::size_t filled = 0;
  while (true) {
    const std::uint64_t largest = largest_weight(turns);
    bool one_is_full = false;
    while (!one_is_full) {
      for (Candidate& candidate : turns) {
        candidate.credit += candidate.weight;
        if (candidate.credit < largest || candidate.room == 0) continue;
        candidate.credit -= largest;
        if (!take_turn(candidate, table)) continue;
        if (++filled == slots) return table;
        one_is_full |= candidate.room == 0;
      }
    }
    drop_full(turns, largest);
  }
}

}  // namespace viaduct::lb
