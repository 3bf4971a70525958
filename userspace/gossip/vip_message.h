#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace viaduct::gossip {

/// What one owner publishes has one version: the larger wins everywhere. Only the owner writes it.
struct TableVersion {
  std::uint64_t epoch = 0;  ///< grows when an owner starts anew; 0: nothing was ever published
  std::uint64_t seq = 0;    ///< grows with each change
  std::uint64_t hash = 0;  ///< of the rows: two writers under one name differ here, the larger wins

  auto operator<=>(const TableVersion&) const = default;
  bool operator==(const TableVersion&) const = default;

  /// Whether they are the same step of an owner's life, whatever the rows.
  bool same_step(const TableVersion& other) const {
    return epoch == other.epoch && seq == other.seq;
  }
};

/// No owner comes near; what claims more is forged, and could not be outdone.
inline constexpr std::uint64_t kMaxStep = std::uint64_t{1} << 62;

/// Whether an owner can have published it.
inline bool valid(const TableVersion& version) {
  return version.epoch >= 1 && version.epoch <= kMaxStep && version.seq >= 1 &&
         version.seq <= kMaxStep;
}

/// A 64-bit hash of an owner's name, as messages carry it.
using OwnerId = std::uint64_t;
OwnerId owner_id(std::string_view name);

struct OwnerVersion {
  OwnerId owner = 0;
  TableVersion version;

  bool operator==(const OwnerVersion&) const = default;
};

/// One row as it travels: what it is about, and what it says. One row a key. The table does not
/// look into it; row_codec.h does.
class WireRow {
 public:
  WireRow() = default;
  WireRow(std::string_view key, std::string_view value)
      : octets_(key), key_size_(static_cast<std::uint16_t>(key.size())) {
    octets_ += value;
  }

  std::string_view key() const { return std::string_view(octets_).substr(0, key_size_); }
  std::string_view value() const { return std::string_view(octets_).substr(key_size_); }
  std::size_t size() const { return octets_.size(); }
  std::uint64_t hash() const;

  bool operator==(const WireRow&) const = default;

 private:
  std::string octets_;  ///< in one piece, for there are very many
  std::uint16_t key_size_ = 0;
};

/// One step of a delta: a row set, or taken away.
struct RowChange {
  RowChange() = default;
  explicit RowChange(std::string row_key, std::optional<std::string> row_value = std::nullopt)
      : key(std::move(row_key)), value(std::move(row_value)) {}

  std::string key;
  std::optional<std::string> value;  ///< absent: the row is gone

  bool operator==(const RowChange&) const = default;
};

/// All that changed in an owner's rows since `base`, in a form that may be applied to every version
/// from `base` on.
struct Delta {
  OwnerId owner = 0;
  std::uint64_t base = 0;          ///< a seq of version.epoch, < version.seq; 0: since nothing
  TableVersion version;            ///< after the changes
  bool partial = false;            ///< too many changes to list: whoever lacks them pulls
  std::vector<RowChange> changes;  ///< by key, each once; none in a partial one

  bool operator==(const Delta&) const = default;
};

}  // namespace viaduct::gossip
