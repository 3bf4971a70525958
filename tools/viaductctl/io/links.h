#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "tools/viaductctl/doctor.h"

namespace viaduct::ctl {

/// The devices of this network namespace; name, kind, state, MTU, XDP and merging are filled.
/// @errors the system's code.
base::Result<std::vector<LinkFacts>> read_links();

/// Destinations of our routes into a device; none when there is no such device.
std::set<base::Address> read_vip_routes(const std::string& device);

/// Those of the addresses that no route leads to.
std::set<base::Address> without_route(const std::set<base::Address>& addresses);

}  // namespace viaduct::ctl
