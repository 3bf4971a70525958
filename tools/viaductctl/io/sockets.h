#pragma once

#include <string>

#include "base/result.h"
#include "tools/viaductctl/flows.h"

namespace viaduct::ctl {

/// Adds every socket that is connected to a VIP, of all network namespaces, to a list: runs the
/// iterator sock_flows over the pinned map vd_sock_v1.
/// @errors the system's code when the map is not there, or the kernel does not let us run the
/// iterator.
base::Result<void> read_socket_flows(const std::string& bpffs, FlowList& list);

}  // namespace viaduct::ctl
