#pragma once

#include <time.h>

#include <cstdint>

namespace viaduct::ctl {

/// The clock that the programs stamp flows with: CLOCK_MONOTONIC_COARSE, in seconds.
inline std::uint32_t coarse_seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint32_t>(now.tv_sec);
}

}  // namespace viaduct::ctl
