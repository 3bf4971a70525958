#pragma once

#include <chrono>

namespace viaduct::base {

/// Monotonic time. Cores take it as an argument; only shells read the clock.
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Duration = Clock::duration;

}  // namespace viaduct::base
