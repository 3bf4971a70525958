#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "dns/name.h"
#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// What viaductd says of a question (/v1/dns). Waits some seconds for the upstreams of a forwarded
/// name.
/// @param socket  of viaductd.
/// @errors as ask_daemon().
base::Result<json::value> explain_dns(const std::string& socket, const std::string& name,
                                      const std::string& type);

/// What the server says when it is asked as a client would ask, a sentence; "" if it listens
/// nowhere.
std::string ask_dns(const std::string& socket, const dns::Name& name, std::uint16_t type);

}  // namespace viaduct::ctl
