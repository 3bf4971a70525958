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

void Merger::apply(const std::string& name, SourceChange change) {
  const std::string* source = &*sources_.insert(name).first;
  for (const BackendRow& row : change.removed) remove(source, row);
  for (BackendRow& row : change.added) add(source, std::move(row));
  if (!change.port_mappings) return;
  source_mappings_[name] = std::move(*change.port_mappings);
  replace_mappings();
}

void Merger::add(const std::string* source, BackendRow row) {
  const GroupKey key{row.vip, row.backend.address.is_v6(), row.vip_port, row.protocol};
  const auto [group, is_new] = groups_.try_emplace(key);
  auto& rows = group->second.rows;
  if (rows.empty()) begin_group(key);
  count_local(key, row, 1);
  const auto place = std::partition_point(rows.begin(), rows.end(), [&](const OwnedRow& owned) {
    return SourcedRow{owned.source, &owned.row} < SourcedRow{source, &row};
  });
  rows.insert(place, {source, std::move(row)});
  touch(group);
}

void Merger::remove(const std::string* source, const BackendRow& row) {
  const GroupKey key{row.vip, row.backend.address.is_v6(), row.vip_port, row.protocol};
  const auto group = groups_.find(key);
  assert(group != groups_.end());
  if (group == groups_.end()) return;
  auto& rows = group->second.rows;
  const auto place = std::partition_point(rows.begin(), rows.end(), [&](const OwnedRow& owned) {
    return SourcedRow{owned.source, &owned.row} < SourcedRow{source, &row};
  });
  assert(place != rows.end() && place->source == source && place->row == row);
  if (place == rows.end()) return;
  count_local(key, row, -1);
  rows.erase(place);
  if (rows.empty()) end_group(key);
  touch(group);
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
  if (const auto* name = std::get_if<VipName>(&key.vip)) {
    if (key.v6 && !options_.enable_ipv6) return;
    if (named_[{name->value, key.v6}]++ == 0) (key.v6 ? named6_ : named4_).add(name->value);
    return;
  }
  const auto& address = std::get<base::Address>(key.vip);
  if (address.is_v6() != key.v6 || (key.v6 && !options_.enable_ipv6)) return;
  if (explicit_[address]++ == 0) (key.v6 ? named6_ : named4_).take(address);
}

void Merger::end_group(const GroupKey& key) {
  if (const auto* name = std::get_if<VipName>(&key.vip)) {
    const auto count = named_.find({name->value, key.v6});
    if (count == named_.end() || --count->second > 0) return;
    named_.erase(count);
    (key.v6 ? named6_ : named4_).remove(name->value);
    return;
  }
  const auto& address = std::get<base::Address>(key.vip);
  const auto count = address.is_v6() == key.v6 ? explicit_.find(address) : explicit_.end();
  if (count == explicit_.end() || --count->second > 0) return;
  explicit_.erase(count);
  (key.v6 ? named6_ : named4_).release(address);
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
  std::set<std::string> moved = named4_.settle();
  for (const std::string& name : moved) touch_name(name, false);
  const std::set<std::string> moved6 = named6_.settle();
  for (const std::string& name : moved6) touch_name(name, true);
  moved.insert(moved6.begin(), moved6.end());
  return moved;
}

void Merger::merge_group(const GroupKey& key, Group& group, Edits& edits) {
  std::vector<SourcedRow> rows;
  rows.reserve(group.rows.size());
  for (const OwnedRow& owned : group.rows) rows.push_back({owned.source, &owned.row});
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
        rejected.push_back(reject(sourced, reason));
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

bool Merger::show_names(const std::set<std::string>& moved, Snapshot& next) const {
  bool any = false;
  NamedVips::Editor names(std::move(next.names));
  for (const std::string& name : moved) {
    NamedVip named{name, {}};
    for (const NamedAllocation* family : {&named4_, &named6_})
      if (const auto address = family->find(name)) named.addresses.push_back(*address);
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
  const std::set<std::string> moved = settle_names();
  bool changed = !last_ || last_->complete != complete;
  changed |= show_groups(*next);
  changed |= show_names(moved, *next);
  if (!changed) return last_;
  next->revision++;
  next->complete = complete;
  return last_ = std::move(next);
}

}  // namespace viaduct::service
