#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace viaduct::base {

/// Pseudo-random numbers from a seed: the same on every machine, so that a run can be repeated.
/// Never for keys, nonces or anything that a peer must not guess.
/// Source: Blackman, Vigna: xoshiro256**; seeded by splitmix64.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t mixed = seed;
      mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
      word = mixed ^ mixed >> 31;
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// 0 to `bound` - 1, for bounds below 2^32; the bias of at most bound / 2^32 is of no concern.
  std::size_t below(std::size_t bound) {
    assert(bound > 0 && bound >> 32 == 0);
    return static_cast<std::size_t>((next() >> 32) * bound >> 32);
  }
  /// 0 <= x < 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  bool chance(double probability) { return unit() < probability; }

  /// Fisher and Yates.
  template <class Range>
  void shuffle(Range& range) {
    for (std::size_t i = range.size(); i > 1; --i) std::swap(range[i - 1], range[below(i)]);
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace viaduct::base
