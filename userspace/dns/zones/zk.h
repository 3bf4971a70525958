#pragma once

#include "dns/zones/zone.h"

namespace viaduct::dns::zones {

/// `zk`: `zk-1.zk` to `zk-5.zk`, the masters in their order, from the first again if there are
/// fewer; each family by itself. Ready from the start: a Mesos agent asks for it before it can say
/// what runs.
Zone zk(const service::Snapshot& snapshot, const ZoneOptions& options);

}  // namespace viaduct::dns::zones
