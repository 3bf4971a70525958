#include "dataplane/drain.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace viaduct::dataplane {
namespace {

/// The endpoints of a service that take no new connections, whoever names them.
std::set<base::Endpoint> drained(const service::Service& service) {
  std::map<base::Endpoint, std::uint16_t> weights;
  for (const service::Backend& backend : service.backends) {
    std::uint16_t& weight = weights[backend.dial];
    weight = std::max(weight, backend.weight);
  }
  std::set<base::Endpoint> endpoints;
  for (const auto& [endpoint, weight] : weights)
    if (weight == 0) endpoints.insert(endpoint);
  return endpoints;
}

}  // namespace

void Drains::see(const service::Service& service, base::Time now) {
  Backends next;
  if (service.policy.drain) {
    const Backends& before = services_[service.key];
    for (const base::Endpoint& endpoint : drained(service)) {
      const auto known = before.find(endpoint);
      const base::Time since = known == before.end() ? now : known->second.since;
      next[endpoint] = {since, since + *service.policy.drain};
    }
  }
  if (next.empty())
    services_.erase(service.key);
  else
    services_[service.key] = std::move(next);
}

void Drains::see(const service::Snapshot& snapshot, const service::Snapshot* before,
                 base::Time now) {
  const service::Snapshot none;
  service::Services::compare(before ? before->services : none.services, snapshot.services,
                             [&](const auto* old, const auto* fresh) {
                               if (fresh)
                                 see(**fresh, now);
                               else
                                 services_.erase((*old)->key);
                             });
}

bool Drains::is_over(const service::VipKey& key, const base::Endpoint& dial, base::Time now) const {
  const auto service = services_.find(key);
  if (service == services_.end()) return false;
  const auto backend = service->second.find(dial);
  return backend != service->second.end() && now >= backend->second.until;
}

std::set<service::VipKey> Drains::take_due(base::Time now) {
  std::set<service::VipKey> due;
  for (auto& [key, backends] : services_)
    for (auto& [endpoint, draining] : backends)
      if (now >= draining.until && !std::exchange(draining.taken, true)) due.insert(key);
  return due;
}

std::optional<base::Time> Drains::next() const {
  std::optional<base::Time> first;
  for (const auto& [key, backends] : services_)
    for (const auto& [endpoint, draining] : backends)
      if (!draining.taken && (!first || draining.until < *first)) first = draining.until;
  return first;
}

}  // namespace viaduct::dataplane
