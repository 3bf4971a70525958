#include "dataplane/route_plan.h"

namespace viaduct::dataplane {

RoutePlan plan_routes(const std::set<base::Address>& actual, const service::Snapshot& desired,
                      const service::Snapshot* known) {
  RoutePlan plan;
  const auto look_at = [&](const base::Address& address) {
    const bool is_wanted = service::has_address(desired, address);
    const bool is_there = actual.contains(address);
    if (is_wanted && !is_there) plan.missing.insert(address);
    if (!is_wanted && is_there && desired.complete) plan.stale.insert(address);
  };
  if (known && known->complete == desired.complete) {
    service::Services::compare(known->services, desired.services,
                               [&](const auto* before, const auto* after) {
                                 look_at((*(after ? after : before))->key.address);
                               });
    return plan;
  }
  for (const auto& service : desired.services) look_at(service->key.address);
  for (const base::Address& address : actual) look_at(address);
  return plan;
}

}  // namespace viaduct::dataplane
