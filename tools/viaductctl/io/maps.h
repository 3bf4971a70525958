#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "tools/viaductctl/doctor.h"
#include "tools/viaductctl/flows.h"
#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// What the pinned maps hold, in the shape of /v1/vips, without asking viaductd.
/// @errors the system's code when the maps are not there or may not be read.
base::Result<json::array> read_vips(const std::string& bpffs);

/// Adds the flows of the pinned flow table to a list.
/// @errors as read_vips().
base::Result<void> read_packet_flows(const std::string& bpffs, FlowList& list);

/// How full the maps are, the addresses of the services, and where tunnels end.
struct MapsUsage {
  std::vector<MapFacts> maps;
  std::set<base::Address> vip_addresses;
  std::set<base::Address> nodes;
};
base::Result<MapsUsage> read_usage(const std::string& bpffs);

}  // namespace viaduct::ctl
