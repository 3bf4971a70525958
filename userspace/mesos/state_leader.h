#pragma once

#include <string_view>

#include "base/address.h"
#include "base/result.h"

namespace viaduct::mesos {

/// The leader that the answer to GET `/state` names, "master@192.0.2.1:5050", without reading the
/// rest of it: a master that does not lead knows nothing of the cluster.
/// @errors bad_json; unexpected_shape: it names none, or by a host name.
base::Result<base::Endpoint> state_leader(std::string_view state);

}  // namespace viaduct::mesos
