#pragma once

#include <cstdint>

#include "dns/table.h"
#include "service/snapshot.h"

namespace viaduct::dns {

struct ZoneOptions {
  std::uint32_t ttl_s = 5;           ///< of address records and SOAs
  std::uint32_t negative_ttl_s = 1;  ///< of NODATA and NXDOMAIN; at most ttl_s takes effect
};

/// Compiles every zone that this node serves. A snapshot that is not complete makes zones that
/// answer SERVFAIL.
Table::Built build_table(const service::Snapshot& snapshot, const ZoneOptions& options);

}  // namespace viaduct::dns
