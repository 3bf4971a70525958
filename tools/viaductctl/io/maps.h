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

/// Packet flows from the pinned flow table.
/// @param limit  most flows returned; 0: all.
/// @errors as read_vips().
base::Result<FlowList> read_packet_flows(const std::string& bpffs, const FlowFilter& filter,
                                         std::size_t limit);

/// How full the maps are, and the addresses of the services.
struct MapsUsage {
  std::vector<MapFacts> maps;
  std::set<base::Address> vip_addresses;
};
base::Result<MapsUsage> read_usage(const std::string& bpffs);

}  // namespace viaduct::ctl
