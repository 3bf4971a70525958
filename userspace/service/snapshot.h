#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "service/local_table.h"
#include "service/named_address.h"
#include "service/row.h"

namespace viaduct::service {

struct Backend {
  base::Endpoint endpoint;
  std::uint16_t weight = 1;
  base::Endpoint dial;  ///< where this node really connects: differs for a port mapping of its own
  std::string node;     ///< the publishing node
  std::string task;

  auto operator<=>(const Backend&) const = default;
  bool operator==(const Backend&) const = default;
};

/// A VIP with its backends and policy. Immutable once in a snapshot.
struct Service {
  VipKey key;
  std::string name;  ///< canonical named VIP, "" for an address VIP
  Policy policy;
  std::vector<Backend>
      backends;  ///< sorted by endpoint, no endpoint twice, all of the key's family

  bool operator==(const Service&) const = default;
};

/// A named VIP's addresses: at most one per family, only families that have backends.
struct NamedVip {
  std::string name;
  std::vector<base::Address> addresses;

  bool operator==(const NamedVip&) const = default;
};

/// Conflicts that were settled while merging; counted and shown.
struct MergeNotes {
  std::vector<RejectedRow> rejected;
};

/// All live rows merged. Immutable; services that did not change are shared with the snapshot
/// before.
struct Snapshot {
  std::uint64_t revision = 0;
  bool complete = false;                                 ///< false: sinks may add, but not withdraw
  std::vector<std::shared_ptr<const Service>> services;  ///< sorted by key
  std::vector<NamedVip> names;                           ///< sorted by name
  MergeNotes notes;

  /// The service of a key, null if there is none.
  const Service* find(const VipKey& key) const;
};

struct MergeOptions {
  NamedRanges ranges;
  base::Address node_address;  ///< this node, for its own port mappings
  std::string node_name;
  bool enable_ipv6 = true;  ///< whether named VIPs take IPv6 backends and IPv6 VIPs exist at all
};

/// Merges all rows of a table into the next snapshot.
/// @param previous  may be null; equal services are shared with it.
std::shared_ptr<const Snapshot> merge(const LocalTable& table, const MergeOptions& options,
                                      const Snapshot* previous);

}  // namespace viaduct::service
