#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace viaduct::lb {

/// What an algorithm needs to know of a backend.
struct WeightedBackend {
  std::uint32_t id = 0;  ///< what is written into the slots; never 0
  std::string
      name;  ///< stable identity that is hashed: endpoints, not ids, so that all nodes agree
  std::uint16_t weight = 1;  ///< 0: gets no slot
};

/// A lookup table: slot -> backend id.
using Table = std::vector<std::uint32_t>;

}  // namespace viaduct::lb
