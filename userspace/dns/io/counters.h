#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "dns/respond.h"

namespace viaduct::dns {

/// A number that one thread counts up and others read: no locked instruction.
class Counter {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// Messages by what became of them.
class OutcomeCounters {
 public:
  void count(Outcome outcome) { counters_[static_cast<std::size_t>(outcome)].add(); }
  void add_to(std::array<std::uint64_t, kOutcomes>& sums) const {
    for (std::size_t i = 0; i < kOutcomes; ++i) sums[i] += counters_[i].get();
  }

 private:
  std::array<Counter, kOutcomes> counters_;
};

}  // namespace viaduct::dns
