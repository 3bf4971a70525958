#pragma once

#include <cstdio>
#include <cstdlib>

namespace viaduct::fuzz {

/// Ends the program, as a fuzzer wants it, when something that must hold does not.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace viaduct::fuzz
