#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace viaduct::gossip {

/// What one owner publishes has one version: the larger wins everywhere. Only the owner writes it.
struct TableVersion {
  std::uint64_t epoch = 0;  ///< grows when an owner starts anew
  std::uint64_t seq = 0;    ///< grows with each change
  std::uint64_t hash = 0;  ///< of the rows: two writers under one name differ here, the larger wins

  auto operator<=>(const TableVersion&) const = default;
  bool operator==(const TableVersion&) const = default;
};

/// A 64-bit hash of an owner's name, as messages carry it.
using OwnerId = std::uint64_t;
OwnerId owner_id(const std::string& name);

/// One row as it travels. The store does not look into it; row_codec.h does.
struct WireRow {
  base::Bytes key;    ///< what the row is about; one row a key
  base::Bytes value;  ///< what it says

  auto operator<=>(const WireRow&) const = default;
  bool operator==(const WireRow&) const = default;
};

/// One step of a delta: a row set, or taken away.
struct RowChange {
  base::Bytes key;
  std::optional<base::Bytes> value;  ///< absent: the row is gone

  bool operator==(const RowChange&) const = default;
};

/// All that changed in an owner's rows since `base`, in a form that may be applied to every version
/// from `base` on.
struct Delta {
  OwnerId owner = 0;
  std::uint64_t base = 0;  ///< a seq of version.epoch, < version.seq; 0: since nothing
  TableVersion version;    ///< after the changes
  bool partial = false;    ///< too many changes to list: whoever lacks them pulls
  std::vector<RowChange> changes;

  bool operator==(const Delta&) const = default;
};

}  // namespace viaduct::gossip
