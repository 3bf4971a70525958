#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "gossip/sync_message.h"

namespace viaduct::gossip {

/// Puts snapshots together that come in parts, within bounds: of an owner only one version is on
/// its way, parts have to come in order, and of too many snapshots the one that waited longest is
/// given up. What is lost is asked for anew by the next sync.
class Assembly {
 public:
  /// @return all rows of the version, once the last part is there.
  std::optional<std::vector<WireRow>> add(RowsPart part, base::Time now);
  /// Gives up what has waited too long.
  void expire(base::Time now);

  std::size_t size() const { return open_.size(); }

 private:
  struct Open {
    TableVersion version;
    std::size_t octets = 0;
    std::vector<WireRow> rows;
    base::Time last;
  };

  std::map<OwnerId, Open> open_;
};

}  // namespace viaduct::gossip
