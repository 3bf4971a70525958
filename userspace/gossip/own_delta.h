#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "gossip/rows.h"
#include "gossip/vip_message.h"

namespace viaduct::gossip {

/// What this node has yet to tell of its own rows. There is one delta at a time, and a newer one
/// takes the older's place in the queue: it lists all since the last one that was sent to the end,
/// so nothing is lost with the older.
class OwnDelta {
 public:
  /// Notes what a new version changed.
  void add(std::span<const RowChange> changes, std::uint64_t seq);
  /// Everything is to be told anew, in an epoch that has just one version.
  void restart(const Rows& rows, std::uint64_t seq);

  /// The delta to queue. If the budget is too small for all, it is based on a later version, and
  /// nodes that lack an earlier one find the gap; if it is too small for the last change alone, the
  /// delta is partial.
  /// @return absent: nothing is new since the last call.
  std::optional<Delta> take(OwnerId owner, const TableVersion& version, const Rows& rows,
                            std::size_t budget);

  /// The last delta taken was sent as often as it had to.
  void sent();

 private:
  std::uint64_t fitting_base(const TableVersion& version, const Rows& rows,
                             std::size_t budget) const;
  void forget(std::uint64_t seq);

  std::map<std::string, std::uint64_t> pending_;  ///< key -> seq of its last change, > base_
  std::uint64_t base_ = 0;
  TableVersion taken_;
};

}  // namespace viaduct::gossip
