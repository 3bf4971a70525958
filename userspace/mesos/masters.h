#pragma once

#include <optional>
#include <vector>

#include "base/address.h"

namespace viaduct::mesos {

/// The masters of a cluster, as far as they are known.
struct Masters {
  std::vector<base::Endpoint> all;       ///< in their order, which gives them their numbers
  std::optional<base::Endpoint> leader;  ///< absent: not known; need not be in `all`

  bool operator==(const Masters&) const = default;
};

}  // namespace viaduct::mesos
