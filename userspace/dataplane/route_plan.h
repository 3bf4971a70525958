#pragma once

#include <set>

#include "base/address.h"
#include "service/snapshot.h"

namespace viaduct::dataplane {

/// What is wrong with the routes to VIPs.
struct RoutePlan {
  std::set<base::Address> stale;    ///< lead to no VIP
  std::set<base::Address> missing;  ///< VIPs without a route
};

/// Compares the routes that there are with those that a snapshot's VIPs need.
/// @param actual  the addresses that have a route of ours.
/// @param known  the snapshot that `actual` is known to show, so that only addresses of what
/// differs are looked at; null: look at all. An incomplete snapshot makes no route stale.
RoutePlan plan_routes(const std::set<base::Address>& actual, const service::Snapshot& desired,
                      const service::Snapshot* known);

}  // namespace viaduct::dataplane
