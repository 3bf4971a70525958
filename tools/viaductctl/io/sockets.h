#pragma once

#include <string>

#include "base/result.h"
#include "tools/viaductctl/flows.h"

namespace viaduct::ctl {

/// Adds every socket that is connected to a VIP, of all network namespaces, to a list.
/// @errors the system's code when the pinned map is not there, or the kernel has no such iterator.
base::Result<void> read_socket_flows(const std::string& bpffs, FlowList& list);

}  // namespace viaduct::ctl
