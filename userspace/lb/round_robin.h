#pragma once

#include <cstddef>
#include <span>

#include "lb/weighted.h"

namespace viaduct::lb {

/// Most slots of a round robin's table.
inline constexpr std::size_t kMaxTurns = 4096;

/// One round of turns: each backend as often as its weight says, spread as evenly as possible.
/// Weights without a common divisor and too large for kMaxTurns are scaled down; every backend with
/// weight gets a turn, as long as there are no more than kMaxTurns of them. Depends on the set of
/// backends only.
Table round_robin(std::span<const WeightedBackend> backends);

}  // namespace viaduct::lb
