#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace viaduct::dataplane {

/// Names of pins under <bpffs>/programs/: dry copies of programs, which `viaductctl explain` runs.
inline constexpr const char* kExplainSocket = "explain_socket";    ///< connect()
inline constexpr const char* kExplainRequest = "explain_request";  ///< a container's packet
inline constexpr const char* kExplainHost = "explain_host";        ///< a packet of this host

/// Loads dry copies of the programs beside the maps that are pinned already, and pins them in the
/// place of those of an earlier process. They are attached to nothing; removing the pins removes
/// them.
/// @param viaduct0  index of the device that VIP routes lead into.
/// @errors the system's code; explain does not work then, and everything else does.
base::Result<void> pin_explain_programs(const std::string& bpffs, std::uint32_t viaduct0);

}  // namespace viaduct::dataplane
