#pragma once

#include <span>
#include <string_view>

#include "base/address.h"
#include "service/snapshot.h"

namespace viaduct::test {

/// What a master's `/state` says, as a master's view: running tasks of known agents, frameworks,
/// agents, masters. Reads well-formed states only. Of host names "localhost" is known.
/// What cannot be used is told on the error output.
/// @param masters  the list that Mesos-DNS was configured with.
service::MasterView view_of_state(std::string_view state, std::span<const base::Endpoint> masters);

}  // namespace viaduct::test
