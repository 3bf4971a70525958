#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/table.h"
#include "dns/zones/zones.h"
#include "service/snapshot.h"

namespace viaduct::dns::zones {

struct BuiltZone {
  Zone zone;
  std::vector<base::Error> rejected;  ///< names that cannot be served, e.g. over 255 octets
};

/// @param text  a constant that is a valid name.
Name constant(std::string_view text);

/// A zone with the SOA and NS records that all of ours have. The serial is the snapshot's revision.
Zone start_zone(Name apex, const service::Snapshot& snapshot, const ZoneOptions& options);

}  // namespace viaduct::dns::zones
