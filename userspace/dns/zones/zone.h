#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/table.h"
#include "dns/zones/zones.h"
#include "service/snapshot.h"

namespace viaduct::dns::zones {

/// @param text  a constant that is a valid name.
Name constant(std::string_view text);

/// What all zones of ours have in common; ready. The serial is the snapshot's revision.
ZoneHead zone_head(Name apex, const service::Snapshot& snapshot, const ZoneOptions& options);
/// The NS record that all of ours have.
Record apex_ns(const ZoneHead& head);

inline constexpr std::string_view kDcosZone = "dcos.thisdcos.directory";

/// What something has in our zones.
struct BuiltRecords {
  std::vector<Record> records;
  std::vector<base::Error> rejected;  ///< names that cannot be served, e.g. over 255 octets
};

/// A zone with these.
Zone start_zone(Name apex, const service::Snapshot& snapshot, const ZoneOptions& options);

}  // namespace viaduct::dns::zones
