#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sorted_chunks.h"
#include "gossip/vip_message.h"

namespace viaduct::gossip {

/// All rows of one owner. Immutable, and copies share what they have in common.
class Rows {
 public:
  struct Key {
    std::string_view operator()(const WireRow& row) const { return row.key(); }
  };
  using List = base::SortedChunks<WireRow, Key>;

  Rows() = default;
  /// @param rows  each key once.
  explicit Rows(std::vector<WireRow> rows);

  const List& list() const { return list_; }
  std::size_t size() const { return list_.size(); }
  /// Of keys and values.
  std::size_t octets() const { return octets_; }
  std::size_t vips() const { return vips_; }
  /// Sum of the rows' hashes: equal for equal rows, whatever changes led to them.
  std::uint64_t hash() const { return hash_; }

  /// The rows after changes, each key of which is there once. Takes time in their number.
  Rows changed(std::span<const RowChange> changes) const;

  /// Whether an owner may have so many.
  /// @errors Errc::too_large, with which limit in the context.
  base::Result<void> check() const;

  bool operator==(const Rows& other) const { return hash_ == other.hash_ && list_ == other.list_; }

 private:
  bool has_vip(std::string_view prefix) const;

  List list_;
  std::size_t octets_ = 0;
  std::size_t vips_ = 0;
  std::uint64_t hash_ = 0;
};

}  // namespace viaduct::gossip
