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

struct Candidate {
  std::uint32_t id;
  std::uint64_t weight;
  std::uint64_t credit;  ///< a turn is due when it reaches the largest weight
  std::size_t next;      ///< position in the backend's permutation, as a slot
  std::size_t skip;
};

/// Everyone's first turn comes in the first round, so that a small weight still gets a slot.
std::vector<Candidate> candidates(std::span<const WeightedBackend> backends, std::size_t slots) {
  std::vector<const WeightedBackend*> sorted;
  for (const WeightedBackend& backend : backends)
    if (backend.weight > 0) sorted.push_back(&backend);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* left, const auto* right) { return left->name < right->name; });

  std::vector<Candidate> result;
  result.reserve(sorted.size());
  for (const WeightedBackend* backend : sorted) {
    const std::size_t offset = stable_hash(backend->name, 0x9ae16a3b2f90404fULL) % slots;
    const std::size_t skip =
        slots > 1 ? stable_hash(backend->name, 0xc3a5c85c97cb3127ULL) % (slots - 1) + 1 : 1;
    result.push_back({backend->id, backend->weight, 0, offset, skip});
  }
  return result;
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
  std::uint64_t largest = 0;
  for (const Candidate& candidate : turns) largest = std::max(largest, candidate.weight);
  for (Candidate& candidate : turns) candidate.credit = largest - candidate.weight;

  Table table(slots, 0);
  std::size_t filled = 0;
  while (true) {
    for (Candidate& candidate : turns) {
      candidate.credit += candidate.weight;
      if (candidate.credit < largest) continue;
      candidate.credit -= largest;
      while (table[candidate.next] != 0) candidate.next = (candidate.next + candidate.skip) % slots;
      table[candidate.next] = candidate.id;
      if (++filled == slots) return table;
    }
  }
}

}  // namespace viaduct::lb
