#include "service/merger.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace viaduct::service {

/// What becomes of the last snapshot's services and notes.
struct Merger::Edits {
  std::map<VipKey, std::shared_ptr<const Service>> services;  ///< null: goes
  std::vector<RejectedRow> gone;
  std::vector<RejectedRow> come;
};

Merger::Merger(MergeOptions options)
    : options_(std::move(options)),
      named4_(options_.ranges.min4, options_.ranges.max4,
              [ranges = options_.ranges](const std::string& name) {
                return first_candidate4(name, ranges);
              }),
      named6_(options_.ranges.min6, options_.ranges.max6,
              [ranges = options_.ranges](const std::string& name) {
                return first_candidate6(name, ranges);
              }) {}

Merger::KnownOrigin& Merger::origin_of(const std::string& node, const std::string& source) {
  const auto [known, added] = origins_.try_emplace({node, source});
  if (added) known->second.origin = {node, source, Mask::none, {}};
  return known->second;
}

void Merger::apply(const std::string& name, SourceChange change) {
  KnownOrigin& origin = origin_of(options_.node_name, name);
  for (const BackendRow& row : change.removed) remove(origin, row);
  for (BackendRow& row : change.added) add(origin, std::move(row));
  for (const TaskRow& row : change.tasks_removed) tasks_.remove(origin.origin, row);
  for (TaskRow& row : change.tasks_added) tasks_.add(origin.origin, std::move(row));
  for (const MesosRow& row : change.processes_removed) processes_.remove(origin.origin, row);
  for (MesosRow& row : change.processes_added) processes_.add(origin.origin, std::move(row));
  if (!change.port_mappings) return;
  source_mappings_[name] = std::move(*change.port_mappings);
  replace_mappings();
}

void Merger::apply_node(const std::string& node, const NodeChange& change) {
  for (const NamedTick& named : change.names_added) ticks_.add(named.name, named.tick);
  for (const NamedTick& named : change.names_removed) ticks_.remove(named.name, named.tick);
  for (const auto* names : {&change.names_added, &change.names_removed})
    for (const NamedTick& named : *names) place_name(named.name);
  if (node == options_.node_name) return;
  KnownOrigin& origin = origin_of(node, "");
  for (const BackendRow& row : change.removed) remove(origin, row);
  for (const BackendRow& row : change.added) add(origin, row);
  for (const TaskRow& row : change.tasks_removed) tasks_.remove(origin.origin, row);
  for (const TaskRow& row : change.tasks_added) tasks_.add(origin.origin, row);
  for (const MesosRow& row : change.processes_removed) processes_.remove(origin.origin, row);
  for (const MesosRow& row : change.processes_added) processes_.add(origin.origin, row);
}

void Merger::apply_master(MasterChange change, bool known) {
  for (const TaskRow& row : change.tasks_removed) master_tasks_.remove(master_, row);
  for (TaskRow& row : change.tasks_added) master_tasks_.add(master_, std::move(row));
  for (const MesosRow& row : change.removed) master_processes_.remove(master_, row);
  for (MesosRow& row : change.added) master_processes_.add(master_, std::move(row));
  master_known_ = known;
}

void Merger::set_mask(const std::string& node, Mask mask) {
  if (node == options_.node_name) return;
  KnownOrigin& origin = origin_of(node, "");
  if (std::exchange(origin.origin.mask, mask) == mask) return;
  touch_all(origin);
  tasks_.touch_all(origin.origin);
  processes_.touch_all(origin.origin);
}

void Merger::set_tunnels(const std::string& node, const NodeTunnels& tunnels) {
  if (node == options_.node_name) return;
  KnownOrigin& origin = origin_of(node, "");
  if (origin.origin.tunnels == tunnels) return;
  origin.origin.tunnels = tunnels;
  touch_all(origin);
}

void Merger::forget_node(const std::string& node) {
  const auto known = origins_.find({node, ""});
  if (known == origins_.end() || node == options_.node_name) return;
  assert(known->second.groups.empty());
  if (known->second.groups.empty()) origins_.erase(known);
}

void Merger::add(KnownOrigin& origin, BackendRow row) {
  const GroupKey key{row.vip, row.backend.address.is_v6(), row.vip_port, row.protocol};
  const auto [group, is_new] = groups_.try_emplace(key);
  auto& rows = group->second.rows;
  if (rows.empty()) begin_group(key);
  count_local(key, row, 1);
  if (origin.origin.node != options_.node_name) origin.groups[&group->first]++;
  const auto place = std::partition_point(rows.begin(), rows.end(), [&](const OwnedRow& owned) {
    return SourcedRow{owned.origin, &owned.row} < SourcedRow{&origin.origin, &row};
  });
  rows.insert(place, {&origin.origin, std::move(row)});
  touch(group);
}

void Merger::remove(KnownOrigin& origin, const BackendRow& row) {
  const GroupKey key{row.vip, row.backend.address.is_v6(), row.vip_port, row.protocol};
  const auto group = groups_.find(key);
  assert(group != groups_.end());
  if (group == groups_.end()) return;
  auto& rows = group->second.rows;
  const auto place = std::partition_point(rows.begin(), rows.end(), [&](const OwnedRow& owned) {
    return SourcedRow{owned.origin, &owned.row} < SourcedRow{&origin.origin, &row};
  });
  const bool found = place != rows.end() && place->origin == &origin.origin && place->row == row;
  assert(found);
  if (!found) return;
  count_local(key, row, -1);
  if (const auto count = origin.groups.find(&group->first); count != origin.groups.end())
    if (--count->second == 0) origin.groups.erase(count);
  rows.erase(place);
  if (rows.empty()) end_group(key);
  touch(group);
}

void Merger::touch_all(const KnownOrigin& origin) {
  for (const auto& [key, rows] : origin.groups) touch(groups_.find(*key));
}

void Merger::touch(Groups::iterator group) {
  if (!std::exchange(group->second.touched, true)) touched_.push_back(group);
}

void Merger::touch_name(const std::string& name, bool v6) {
  const VipTarget vip = VipName{name};
  for (auto group = groups_.lower_bound({vip, v6, 0, base::Protocol{}});
       group != groups_.end() && group->first.vip == vip && group->first.v6 == v6; ++group)
    touch(group);
}

/// Only rows at this node's own address depend on its port mappings.
void Merger::count_local(const GroupKey& key, const BackendRow& row, int by) {
  if (row.backend.address != options_.node_address) return;
  const auto count = local_ports_.try_emplace({row.protocol, row.backend.port, key}).first;
  count->second = static_cast<std::size_t>(static_cast<int>(count->second) + by);
  if (count->second == 0) local_ports_.erase(count);
}

/// The first row of a VIP has come: an address is taken, or a name wants one.
void Merger::begin_group(const GroupKey& key) {
  if (const auto* name = std::get_if<VipName>(&key.vip)) return count_name(name->value, key.v6, 1);
  const auto& address = std::get<base::Address>(key.vip);
  if (address.is_v6() != key.v6 || (key.v6 && !options_.enable_ipv6)) return;
  if (explicit_[address]++ == 0) (key.v6 ? named6_ : named4_).take(address);
}

void Merger::end_group(const GroupKey& key) {
  if (const auto* name = std::get_if<VipName>(&key.vip)) return count_name(name->value, key.v6, -1);
  const auto& address = std::get<base::Address>(key.vip);
  const auto count = address.is_v6() == key.v6 ? explicit_.find(address) : explicit_.end();
  if (count == explicit_.end() || --count->second > 0) return;
  explicit_.erase(count);
  (key.v6 ? named6_ : named4_).release(address);
}

void Merger::count_name(const std::string& name, bool v6, int by) {
  if (v6 && !options_.enable_ipv6) return;
  const auto use = named_.try_emplace(name).first;
  std::size_t& groups = v6 ? use->second.groups6 : use->second.groups4;
  groups = static_cast<std::size_t>(static_cast<int>(groups) + by);
  if (groups == (by > 0 ? 1U : 0U)) touched_names_.insert(name);
  if (use->second.groups4 + use->second.groups6 == 0) named_.erase(use);
  place_name(name);
}

/// A name has an address in both families as soon as any node has backends of it or speaks of it,
/// so that its addresses do not depend on where its backends happen to be.
void Merger::place_name(const std::string& name) {
  const bool is_there = named_.contains(name) || ticks_.contains(name);
  for (NamedAllocation* family : {&named4_, &named6_}) {
    if (family == &named6_ && !options_.enable_ipv6) continue;
    if (is_there)
      family->add(name, ticks_.of(name));
    else
      family->remove(name);
  }
}

/// The first source that maps a port decides. Touches the VIPs behind ports that lead elsewhere.
void Merger::replace_mappings() {
  PortMappings mappings;
  for (const auto& [source, list] : source_mappings_)
    for (const PortMapping& mapping : list)
      mappings.insert({{mapping.protocol, mapping.host_port}, mapping.container});
  const auto touch_port = [&](const PortMappings::value_type& mapping) {
    const auto& [protocol, port] = mapping.first;
    const GroupKey first{base::Address::v6({}), false, 0, base::Protocol{}};
    for (auto local = local_ports_.lower_bound({protocol, port, first});
         local != local_ports_.end() && std::get<0>(local->first) == protocol &&
         std::get<1>(local->first) == port;
         ++local)
      touch(groups_.find(std::get<2>(local->first)));
  };
  std::vector<PortMappings::value_type> changed;
  std::set_symmetric_difference(mappings_.begin(), mappings_.end(), mappings.begin(),
                                mappings.end(), std::back_inserter(changed));
  std::for_each(changed.begin(), changed.end(), touch_port);
  mappings_ = std::move(mappings);
}

std::set<std::string> Merger::settle_names() {
  std::set<std::string> names = std::exchange(touched_names_, {});
  for (const bool v6 : {false, true}) {
    const std::set<std::string> moved = (v6 ? named6_ : named4_).take_moved();
    for (const std::string& name : moved) touch_name(name, v6);
    names.insert(moved.begin(), moved.end());
  }
  return names;
}

void Merger::merge_group(const GroupKey& key, Group& group, Edits& edits) {
  std::vector<SourcedRow> rows;
  rows.reserve(group.rows.size());
  for (const OwnedRow& owned : group.rows) rows.push_back({owned.origin, &owned.row});
  std::shared_ptr<const Service> next;
  std::vector<RejectedRow> rejected;
  const auto* name = std::get_if<VipName>(&key.vip);
  const auto address = name ? (key.v6 ? named6_ : named4_).find(name->value)
                            : std::optional(std::get<base::Address>(key.vip));
  const auto why = rows.empty() ? std::nullopt : refusal(*rows.front().row, options_);
  if (why || !address) {
    for (const SourcedRow& sourced : rows)
      if (const auto reason = why ? *refusal(*sourced.row, options_) : no_address(*name);
          !reason.empty())
        rejected.push_back(reject(sourced, reason, options_));
  } else if (!rows.empty()) {
    MergedVip merged = merge_vip({*address, key.port, key.protocol}, rows, mappings_, options_);
    next = group.shown && *group.shown == merged.service
               ? group.shown
               : std::make_shared<const Service>(std::move(merged.service));
    rejected = std::move(merged.rejected);
  }
  if (group.shown && (!next || next->key != group.shown->key))
    edits.services.try_emplace(group.shown->key);  // unless another VIP has come there
  if (next && next != group.shown) edits.services[next->key] = next;
  if (rejected != group.rejected) {
    edits.gone.insert(edits.gone.end(), group.rejected.begin(), group.rejected.end());
    edits.come.insert(edits.come.end(), rejected.begin(), rejected.end());
  }
  group.shown = std::move(next);
  group.rejected = std::move(rejected);
}

/// @return whether anything differs from the last snapshot.
bool Merger::show_groups(Snapshot& next) {
  Edits edits;
  for (const Groups::iterator group : touched_) {
    merge_group(group->first, group->second, edits);
    group->second.touched = false;
    if (group->second.rows.empty()) groups_.erase(group);
  }
  touched_.clear();
  Services::Editor services(std::move(next.services));
  for (const auto& [key, service] : edits.services) {
    if (service)
      services.put(service);
    else
      services.remove(key);
  }
  next.services = services.finish();
  decltype(next.notes.rejected)::Editor notes(std::move(next.notes.rejected));
  for (const RejectedRow& row : edits.gone) notes.remove(row);
  for (const RejectedRow& row : edits.come) notes.add(row);
  next.notes.rejected = notes.finish();
  return !edits.services.empty() || !edits.gone.empty() || !edits.come.empty();
}

bool Merger::show_names(const std::set<std::string>& touched, Snapshot& next) const {
  bool any = false;
  NamedVips::Editor names(std::move(next.names));
  for (const std::string& name : touched) {
    NamedVip named{name, {}};
    const auto use = named_.find(name);
    const auto show = [&](const NamedAllocation& family, std::size_t groups) {
      const auto address = groups > 0 ? family.find(name) : std::nullopt;
      if (address) named.addresses.push_back(*address);
    };
    show(named4_, use == named_.end() ? 0 : use->second.groups4);
    show(named6_, use == named_.end() ? 0 : use->second.groups6);
    const NamedVip* shown = last_ ? last_->names.find(name) : nullptr;
    if (shown ? *shown == named : named.addresses.empty()) continue;
    any = true;
    if (named.addresses.empty())
      names.remove(name);
    else
      names.put(std::move(named));
  }
  next.names = names.finish();
  return any;
}

std::shared_ptr<const Snapshot> Merger::snapshot(bool complete) {
  auto next = last_ ? std::make_shared<Snapshot>(*last_) : std::make_shared<Snapshot>();
  const std::set<std::string> touched = settle_names();
  bool changed = !last_ || last_->complete != complete;
  changed |= show_groups(*next);
  changed |= show_names(touched, *next);
  changed |= tasks_.show(next->tasks);
  changed |= processes_.show(next->processes);
  changed |= master_tasks_.show(next->master.tasks);
  changed |= master_processes_.show(next->master.processes);
  changed |= std::exchange(next->master.known, master_known_) != master_known_;
  if (!changed) return last_;
  next->revision++;
  next->complete = complete;
  return last_ = std::move(next);
}

}  // namespace viaduct::service
