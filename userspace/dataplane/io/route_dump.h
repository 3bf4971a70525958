#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/result.h"

struct nl_sock;

namespace viaduct::dataplane {

/// One route of the kernel's tables.
struct Route {
  std::uint32_t table = 0;
  std::uint8_t protocol = 0;
  std::uint8_t type = 0;
  std::uint8_t prefix_length = 0;
  std::optional<base::Address> destination;  ///< absent: a default route's
  std::vector<std::uint32_t> ifindexes;      ///< of each next hop
};

/// Reads all routes of a family, one at a time: a node with 100,000 VIPs has as many, and libnl's
/// cache takes seconds to hold them.
/// @param socket  connected, and given back with another callback for messages.
/// @param family  AF_INET or AF_INET6.
/// @errors the system's code.
base::Result<void> dump_routes(nl_sock* socket, int family,
                               const std::function<void(const Route&)>& take);

}  // namespace viaduct::dataplane
