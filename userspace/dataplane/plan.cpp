#include "dataplane/plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "dataplane/region.h"

namespace viaduct::dataplane {
namespace {

/// @param automatic  what the hook does by itself.
Pick pick_of(service::PickRule rule, Pick automatic) {
  switch (rule) {
    case service::PickRule::random:
      return Pick::random;
    case service::PickRule::maglev:
      return Pick::hash;
    case service::PickRule::source_hash:
      return Pick::source;
    case service::PickRule::round_robin:
      return Pick::round_robin;
    case service::PickRule::peak_ewma:
      return Pick::peak_ewma;
    case service::PickRule::least_loaded:
      return Pick::least_loaded;
    case service::PickRule::automatic:
      break;
  }
  return automatic;
}

struct WantedBackend {
  std::uint16_t weight = 0;
  std::optional<base::Address> tunnel;
};
using Wanted = std::map<base::Endpoint, WantedBackend>;

class Planner {
 public:
  Planner(const Image& actual, std::span<const std::uint32_t> slots, Ledger& ledger, base::Time now,
          const std::set<service::VipKey>& expired, const Drains& drains)
      : actual_(actual),
        slots_(slots),
        ledger_(ledger),
        now_(now),
        expired_(expired),
        drains_over_(drains) {}

  void want(const service::Service& service, bool complete);
  void drop_service(ServiceEntry entry);
  void distrust_shared_ids();
  void sweep_orphans();
  void note_planned(std::set<service::VipKey> keys) { plan_.planned = std::move(keys); }
  Plan finish();

 private:
  using Ids = std::map<base::Endpoint, std::uint32_t>;

  Ids known_backends(const ServiceEntry* entry) const;
  /// Puts each wanted backend; returns the ids of those that have one.
  Ids put_backends(const service::VipKey& key, std::uint32_t service_id, const Wanted& wanted,
                   const Ids& known);
  Wanted wanted_backends(const service::Service& service, bool complete, const Ids& known) const;
  /// The id of another machine; 0 if none is left.
  std::uint32_t node_id(const std::optional<base::Address>& tunnel, const service::VipKey& key);
  void put_slots(ServiceEntry& entry, const ServiceEntry* old,
                 const std::vector<lb::WeightedBackend>& weighted);
  void forget_before(ServiceEntry& entry);
  void keep_before(ServiceEntry& entry, const ServiceEntry& old);
  bool place(ServiceEntry& entry, const ServiceEntry* old, std::uint32_t wanted,
             std::size_t backends);
  std::optional<base::Address> tunnel_of(std::uint32_t id) const;
  void drop_backend(std::uint32_t id);
  std::uint32_t fresh_generation(std::uint32_t id) const;
  void problem(const service::VipKey& key, std::string reason) {
    plan_.problems.push_back({key, std::move(reason)});
  }

  const Image& actual_;
  std::span<const std::uint32_t> slots_;
  Ledger& ledger_;
  base::Time now_;
  const std::set<service::VipKey>& expired_;
  const Drains& drains_over_;
  Plan plan_;
  std::map<base::Address, std::uint32_t> new_nodes_;
  bool keeps_flows_ = false;  ///< of the service at hand: flows go to other machines
  std::vector<Op> drains_;    ///< of the service at hand
  std::vector<Op> removals_;
  std::set<std::uint32_t> untrusted_ids_;
};

Planner::Ids Planner::known_backends(const ServiceEntry* entry) const {
  Ids ids;
  const auto found = entry ? actual_.backends_of.find(entry->id) : actual_.backends_of.end();
  if (found == actual_.backends_of.end()) return ids;
  for (const std::uint32_t id : found->second) ids.emplace(actual_.backends.at(id).endpoint, id);
  return ids;
}

std::uint32_t Planner::fresh_generation(std::uint32_t id) const {
  const auto found = actual_.free_generations.find(id);
  return found == actual_.free_generations.end() ? 1 : next_generation(found->second);
}

Planner::Ids Planner::put_backends(const service::VipKey& key, std::uint32_t service_id,
                                   const Wanted& wanted, const Ids& known) {
  Ids ids;
  for (const auto& [endpoint, shown] : wanted) {
    const std::uint16_t weight = shown.weight;
    const std::uint32_t node = node_id(shown.tunnel, key);
    if (const auto found = known.find(endpoint); found != known.end()) {
      BackendEntry entry = actual_.backends.at(found->second);
      ids.emplace(endpoint, entry.id);
      if (entry.weight == weight && entry.node_id == node) continue;
      entry.weight = weight;
      entry.node_id = node;
      // A backend that drains is taken out of the slots first: they may name nobody else.
      (weight == 0 ? drains_ : plan_.ops).push_back(PutBackend{entry, false});
      continue;
    }
    const auto id = ledger_.take_backend_id(now_);
    if (!id) {
      problem(key,
              "no backend id is left for " + endpoint.to_string() + " (dataplane.max_backends)");
      continue;
    }
    ids.emplace(endpoint, *id);
    plan_.ops.push_back(
        PutBackend{{*id, fresh_generation(*id), service_id, endpoint, weight, node}, true});
  }
  return ids;
}

/// Finds the region for a table; a service whose new table finds no room keeps its old region, if
/// that still serves.
/// @return false: the service can't be served, leave it as it is.
bool Planner::place(ServiceEntry& entry, const ServiceEntry* old, std::uint32_t wanted,
                    std::size_t backends) {
  const bool keeps = old && old->slot_count > 0 &&
                     ledger_.owns_region(old->slot_offset, region_size(old->slot_count));
  if (keeps && old->slot_count == wanted) return true;
  std::optional<std::uint32_t> offset = 0;
  if (wanted > 0) offset = ledger_.take_region(region_size(wanted), now_);
  if (!offset) {
    problem(entry.key, "no room for a table of " + std::to_string(wanted) +
                           " slots (dataplane.max_slot_lines)");
    return keeps && old->slot_count >= backends;
  }
  entry.slot_offset = *offset;
  entry.slot_count = wanted;
  if (keeps) keep_before(entry, *old);
  return true;
}

void Planner::forget_before(ServiceEntry& entry) {
  if (entry.before_count > 0)
    ledger_.give_region(entry.before_offset, region_size(entry.before_count), now_);
  entry.before_offset = entry.before_count = 0;
  entry.before_at = {};
}

/// The region that `entry` no longer uses: it stays known if flows of other machines need it.
void Planner::keep_before(ServiceEntry& entry, const ServiceEntry& old) {
  forget_before(entry);
  if (!keeps_flows_) return ledger_.give_region(old.slot_offset, region_size(old.slot_count), now_);
  entry.before_offset = old.slot_offset;
  entry.before_count = old.slot_count;
  entry.before_at = std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch());
}

std::uint32_t Planner::node_id(const std::optional<base::Address>& tunnel,
                               const service::VipKey& key) {
  if (!tunnel) return 0;
  if (const auto found = actual_.nodes.find(*tunnel); found != actual_.nodes.end())
    return found->second;
  if (const auto found = new_nodes_.find(*tunnel); found != new_nodes_.end()) return found->second;
  const auto id = ledger_.take_node_id();
  if (!id) {
    problem(key, "no id is left for the machine " + tunnel->to_string());
    return 0;
  }
  new_nodes_.emplace(*tunnel, *id);
  plan_.ops.push_back(PutNode{*id, *tunnel});
  return *id;
}

/// A table that changes is written in place, or beside the old one if flows need both.
void Planner::put_slots(ServiceEntry& entry, const ServiceEntry* old,
                        const std::vector<lb::WeightedBackend>& weighted) {
  lb::Table region = region_of(entry, weighted);
  const bool in_place =
      old && old->slot_offset == entry.slot_offset && old->slot_count == entry.slot_count;
  if (in_place) {
    const auto there = slots_.subspan(entry.slot_offset, region.size());
    if (std::equal(there.begin(), there.end(), region.begin(), region.end())) return;
    const auto offset =
        keeps_flows_ ? ledger_.take_region(region_size(entry.slot_count), now_) : std::nullopt;
    if (offset) {
      entry.slot_offset = *offset;
      keep_before(entry, *old);
    }
  }
  plan_.ops.push_back(PutSlots{entry.slot_offset, std::move(region)});
}

void Planner::drop_backend(std::uint32_t id) {
  removals_.push_back(DropBackend{id, next_generation(actual_.backends.at(id).generation)});
  ledger_.give_backend_id(id, now_);
}

std::optional<base::Address> Planner::tunnel_of(std::uint32_t id) const {
  const std::uint32_t node = actual_.backends.at(id).node_id;
  for (const auto& [address, known] : actual_.nodes)
    if (node != 0 && known == node) return address;
  return std::nullopt;
}

/// What a service's backends shall be: the snapshot's and, while that is incomplete, also those
/// that are there.
Wanted Planner::wanted_backends(const service::Service& service, bool complete,
                                const Ids& known) const {
  Wanted wanted;
  for (const service::Backend& backend : service.backends) {
    if (drains_over_.is_over(service.key, backend.dial, now_)) continue;
    const auto [same, added] =
        wanted.emplace(backend.dial, WantedBackend{backend.weight, backend.tunnel});
    if (!added) same->second.weight = std::max(same->second.weight, backend.weight);
  }
  if (!complete)
    for (const auto& [endpoint, id] : known)
      wanted.emplace(endpoint, WantedBackend{actual_.backends.at(id).weight, tunnel_of(id)});
  return wanted;
}

void Planner::want(const service::Service& service, bool complete) {
  const auto found = actual_.services.find(service.key);
  const ServiceEntry* old = found == actual_.services.end() ? nullptr : &found->second;
  const bool trusted = old && !untrusted_ids_.contains(old->id);
  ServiceEntry entry = old ? *old : ServiceEntry{};
  entry.key = service.key;
  if (!trusted) entry.id = ledger_.take_service_id();
  entry.sock_pick = pick_of(service.policy.pick, Pick::least_loaded);
  entry.packet_pick = pick_of(service.policy.pick, Pick::hash);
  entry.affinity = service.policy.affinity;

  const Ids known = known_backends(trusted ? old : nullptr);
  const Wanted wanted = wanted_backends(service, complete, known);
  keeps_flows_ = std::any_of(wanted.begin(), wanted.end(),
                             [](const auto& one) { return one.second.tunnel.has_value(); });
  if (expired_.contains(service.key) ||
      !ledger_.owns_region(entry.before_offset, region_size(entry.before_count)))
    forget_before(entry);
  std::vector<lb::WeightedBackend> weighted;
  for (const auto& [endpoint, backend] : wanted)
    if (backend.weight > 0) weighted.push_back({0, endpoint.to_string(), backend.weight});
  if (!place(entry, old, table_size(entry, weighted), weighted.size())) return;

  const Ids ids = put_backends(service.key, entry.id, wanted, known);
  weighted.clear();
  for (const auto& [endpoint, id] : ids)
    if (const std::uint16_t weight = wanted.at(endpoint).weight; weight > 0)
      weighted.push_back({id, endpoint.to_string(), weight});
  if (entry.slot_count > 0) put_slots(entry, old, weighted);
  if (!old || !(*old == entry)) plan_.ops.push_back(PutService{entry});
  plan_.ops.insert(plan_.ops.end(), drains_.begin(), drains_.end());
  drains_.clear();
  for (const auto& [endpoint, id] : known)
    if (!wanted.contains(endpoint)) drop_backend(id);
}

void Planner::drop_service(ServiceEntry entry) {
  forget_before(entry);
  plan_.ops.push_back(DropService{entry.key});
  if (entry.slot_count > 0)
    ledger_.give_region(entry.slot_offset, region_size(entry.slot_count), now_);
  if (const auto found = actual_.backends_of.find(entry.id); found != actual_.backends_of.end())
    for (const std::uint32_t id : found->second) drop_backend(id);
}

/// Ids that a foreign edit gave to two services or made 0: their services are written anew under
/// ids of their own.
void Planner::distrust_shared_ids() {
  std::set<std::uint32_t> seen;
  for (const auto& [key, entry] : actual_.services)
    if (entry.id == 0 || !seen.insert(entry.id).second) untrusted_ids_.insert(entry.id);
}

/// Backends that no service claims: what a process that died in the middle of its plan left behind.
void Planner::sweep_orphans() {
  std::set<std::uint32_t> owners;
  for (const auto& [key, entry] : actual_.services) owners.insert(entry.id);
  for (const auto& [service_id, ids] : actual_.backends_of)
    if (!owners.contains(service_id))
      for (const std::uint32_t id : ids) drop_backend(id);
}

Plan Planner::finish() {
  plan_.ops.insert(plan_.ops.end(), removals_.begin(), removals_.end());
  return std::move(plan_);
}

void plan_changes(Planner& planner, const Image& actual, const service::Snapshot& desired,
                  const service::Snapshot& known, std::set<service::VipKey> keys) {
  service::Services::compare(known.services, desired.services,
                             [&](const auto* before, const auto* after) {
                               keys.insert((*(after ? after : before))->key);
                             });
  for (const service::VipKey& key : keys)
    if (const service::Service* service = desired.find(key))
      planner.want(*service, desired.complete);
  if (desired.complete)
    for (const service::VipKey& key : keys) {
      const auto entry = actual.services.find(key);
      if (entry != actual.services.end() && !desired.find(key)) planner.drop_service(entry->second);
    }
  planner.note_planned(std::move(keys));
}

}  // namespace

Plan plan(const Image& actual, std::span<const std::uint32_t> slots,
          const service::Snapshot& desired, const service::Snapshot* known, Ledger& ledger,
          base::Time now, const PlanHints& hints, const Drains& drains) {
  Planner planner(actual, slots, ledger, now, hints.expired, drains);
  if (known && known->complete == desired.complete) {
    plan_changes(planner, actual, desired, *known, hints.unsettled);
    return planner.finish();
  }
  if (!known) planner.distrust_shared_ids();
  for (const auto& service : desired.services) planner.want(*service, desired.complete);
  if (desired.complete) {
    for (const auto& [key, entry] : actual.services)
      if (!desired.find(key)) planner.drop_service(entry);
    if (!known) planner.sweep_orphans();
  }
  return planner.finish();
}

std::set<service::VipKey> expired_befores(const Image& image, base::Time now) {
  std::set<service::VipKey> expired;
  for (const auto& [key, entry] : image.services)
    if (entry.before_count > 0 && now.time_since_epoch() - entry.before_at >= kBeforeTime)
      expired.insert(key);
  return expired;
}

std::map<service::VipKey, ServiceView> view(const Image& image,
                                            std::span<const std::uint32_t> slots) {
  std::map<service::VipKey, ServiceView> views;
  for (const auto& [key, entry] : image.services) {
    ServiceView& one = views[key];
    one.sock_pick = entry.sock_pick;
    one.packet_pick = entry.packet_pick;
    one.affinity = entry.affinity;
    if (const auto found = image.backends_of.find(entry.id); found != image.backends_of.end())
      for (const std::uint32_t id : found->second)
        one.backends.push_back({image.backends.at(id).endpoint, image.backends.at(id).weight});
    std::sort(one.backends.begin(), one.backends.end());
    if (std::uint64_t{entry.slot_offset} + region_size(entry.slot_count) > slots.size()) {
      one.broken = true;
      continue;
    }
    const auto endpoint_of = [&, service = entry.id](std::uint32_t id) {
      const auto found = image.backends.find(id);
      one.broken |= found == image.backends.end() || found->second.service_id != service;
      return found == image.backends.end() ? base::Endpoint{} : found->second.endpoint;
    };
    for (const std::uint32_t id : slots.subspan(entry.slot_offset, entry.slot_count))
      one.slots.push_back(endpoint_of(id));
    for (const std::uint32_t id : slots.subspan(entry.slot_offset + entry.slot_count,
                                                region_size(entry.slot_count) - entry.slot_count))
      if (id != 0) one.members.push_back(endpoint_of(id));
  }
  return views;
}

}  // namespace viaduct::dataplane
