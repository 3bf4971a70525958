#pragma once

#include <cstddef>

namespace viaduct::files {

// What service files may hold. Anything beyond a limit is reported as a mistake; the rest is used.

inline constexpr std::size_t kMaxFiles = 1024;
inline constexpr std::size_t kMaxFileBytes = 16 << 20;
inline constexpr std::size_t kMaxServicesPerFile = 131072;
inline constexpr std::size_t kMaxBackendsPerService = 4096;
inline constexpr std::size_t kMaxMistakesPerFile = 256;  ///< listed; more are only counted

}  // namespace viaduct::files
