#pragma once

#include "dns/zones/zone.h"

namespace viaduct::dns::zones {

/// `l4lb.thisdcos.directory`: A and AAAA of every named VIP, with the aliases
/// `l4lb.thisdcos.global`, `dclb.thisdcos.directory` and `dclb.thisdcos.global`. The SOA's serial
/// is the snapshot's revision. Not ready while the snapshot is not complete: a VIP's address
/// depends on the whole set of names, so an early answer might be wrong, and NXDOMAIN would be
/// cached for a name that is about to appear.
BuiltZone l4lb(const service::Snapshot& snapshot, const ZoneOptions& options);

}  // namespace viaduct::dns::zones
