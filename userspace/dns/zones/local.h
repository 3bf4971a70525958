#pragma once

#include <vector>

#include "dns/zones/zone.h"

namespace viaduct::dns::zones {

/// What this node says about itself, ready from the start:
/// `spartan` (`ready.spartan`, by which the host's tools find out that DNS answers, and
/// `ns.spartan`), `localhost` (RFC 6761, 6.3), and `thisnode.thisdcos.directory` with the alias
/// `thisnode.thisdcos.global` (the node's own addresses).
std::vector<Zone> local(const service::Snapshot& snapshot, const ZoneOptions& options);

}  // namespace viaduct::dns::zones
