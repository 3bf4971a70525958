#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace viaduct::sim {

/// Which runs a test makes: VIADUCT_SIM_SEED=17 only that one, VIADUCT_SIM_SEEDS=1000 so many, else
/// the usual number, from 1 on.
inline std::vector<std::uint64_t> seeds(std::uint64_t usual) {
  if (const char* one = std::getenv("VIADUCT_SIM_SEED")) return {std::stoull(one)};
  if (const char* many = std::getenv("VIADUCT_SIM_SEEDS")) usual = std::stoull(many);
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = 1; seed <= usual; ++seed) seeds.push_back(seed);
  return seeds;
}

/// Whether runs are as long as they should be, and not as short as continuous integration needs.
inline bool full_length() { return std::getenv("VIADUCT_SIM_FULL") != nullptr; }

/// How a failure is seen again.
inline std::string replay(std::uint64_t seed) {
  return "again with VIADUCT_SIM_SEED=" + std::to_string(seed) + " and this test's filter" +
         (full_length() ? ", VIADUCT_SIM_FULL=1" : "");
}

}  // namespace viaduct::sim
