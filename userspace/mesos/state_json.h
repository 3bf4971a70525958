#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "mesos/cluster_reading.h"

namespace viaduct::mesos {

/// Reads the answer to GET `/state`.
/// @errors bad_json; unexpected_shape: it is none.
/// Source: facts on Mesos' operator API, 3; facts on Mesos-DNS, 4, 10.
base::Result<ReadSnapshot> read_state(std::string_view body, const IsKnownTask& is_known);

/// Reads the frameworks of an answer to GET `/state-summary` or `/frameworks`.
/// @errors bad_json; unexpected_shape: it is none.
base::Result<std::vector<ReadFramework>> read_summary(std::string_view body);

}  // namespace viaduct::mesos
