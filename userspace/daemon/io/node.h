#pragma once

#include <optional>
#include <string>

#include "base/address.h"

namespace viaduct::daemon {

/// This machine's host name.
std::string host_name();

/// This node's IPv4 address: the source that the default route would use, else the first global
/// address of a link. Nothing is sent.
std::optional<base::Address> detect_address();

/// The source address of this machine's IPv6 default route; absent when there is none.
std::optional<base::Address> detect_address6();

}  // namespace viaduct::daemon
