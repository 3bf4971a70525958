#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "dns/table.h"
#include "service/named_address.h"
#include "service/snapshot.h"

namespace viaduct::dns {

struct ZoneOptions {
  std::uint32_t ttl_s = 5;               ///< of address records and SOAs
  std::uint32_t negative_ttl_s = 1;      ///< of NODATA and NXDOMAIN; at most ttl_s takes effect
  std::vector<base::Address> servers{};  ///< that this node answers DNS on
  std::vector<base::Address> node{};     ///< that others reach this node at
  service::NamedRanges ranges{};         ///< of named VIPs, for the reverse zones
};

/// Compiles every zone that this node serves. A snapshot that is not complete makes those zones
/// answer SERVFAIL that depend on it.
Table::Built build_table(const service::Snapshot& snapshot, const ZoneOptions& options);

}  // namespace viaduct::dns
