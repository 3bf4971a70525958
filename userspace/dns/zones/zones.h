#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.h"
#include "dns/table_writer.h"
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

/// The zones that this node serves, kept up with snapshots. What a snapshot changed is written, and
/// no more. A snapshot that is not complete makes those zones answer SERVFAIL that depend on it.
class Zones {
 public:
  explicit Zones(ZoneOptions options, TableWriter writer = TableWriter());

  void update(const service::Snapshot& snapshot);
  std::shared_ptr<const Table> table() { return writer_.table(); }
  /// What could not be served since the last call.
  std::vector<base::Error> take_rejected();

 private:
  void update_names(const service::Snapshot& snapshot);

  const ZoneOptions options_;
  TableWriter writer_;
  service::NamedVips names_;  ///< that the table has
  std::vector<base::Error> rejected_;
};

/// A table of one snapshot.
BuiltTable build_table(const service::Snapshot& snapshot, const ZoneOptions& options);

}  // namespace viaduct::dns
