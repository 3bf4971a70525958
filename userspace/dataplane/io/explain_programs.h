#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "dataplane/config.h"

namespace viaduct::dataplane {

/// Names of pins under <bpffs>/programs/: dry copies of programs, which `viaductctl explain` runs.
inline constexpr const char* kExplainSocket = "explain_socket";    ///< connect()
inline constexpr const char* kExplainRequest = "explain_request";  ///< a container's packet
inline constexpr const char* kExplainHost = "explain_host";        ///< a packet of this host
inline constexpr const char* kExplainUplink = "explain_uplink";    ///< a packet from outside, tc
inline constexpr const char* kExplainXdp = "explain_xdp";          ///< a packet from outside, XDP

/// Loads dry copies of the programs beside the maps that are pinned already, and pins them in the
/// place of those of an earlier process. They are attached to nothing; removing the pins removes
/// them.
/// @param viaduct0  index of the device that VIP routes lead into.
/// @errors the system's code; what could be loaded is pinned nevertheless.
base::Result<void> pin_explain_programs(const Config& config, std::uint32_t viaduct0);

}  // namespace viaduct::dataplane
