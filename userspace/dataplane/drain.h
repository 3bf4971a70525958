#pragma once

#include <map>
#include <optional>
#include <set>

#include "base/address.h"
#include "base/time.h"
#include "service/snapshot.h"

namespace viaduct::dataplane {

/// Since when the backends of weight 0 drain, and whose drain time is over:
/// those no longer belong into the maps. A process counts from when it first
/// sees the weight of 0.
class Drains {
 public:
  /// Takes note of a snapshot.
  /// @param before  the snapshot of the last call; null: the first.
  void see(const service::Snapshot& snapshot, const service::Snapshot* before, base::Time now);

  /// @param dial  as service::Backend::dial.
  bool is_over(const service::VipKey& key, const base::Endpoint& dial, base::Time now) const;

  /// Services with a backend whose time is over but was not at the last call.
  std::set<service::VipKey> take_due(base::Time now);

  /// When the next time is over; absent: nobody drains with a limit, or all
  /// have.
  std::optional<base::Time> next() const;

 private:
  struct Draining {
    base::Time since;
    base::Time until;
    bool taken = false;
  };
  using Backends = std::map<base::Endpoint, Draining>;

  void see(const service::Service& service, base::Time now);

  std::map<service::VipKey, Backends> services_;
};

}  // namespace viaduct::dataplane
