#include "gossip/own_rows.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

/// The rest is for names, tasks, processes of Mesos and facts.
constexpr std::size_t kMaxBackendRows =
    kMaxRowsPerOwner - kMaxNameRows - kTaskLimits.rows - kProcessLimits.rows - 1;
constexpr std::size_t kMaxBackendOctets = kMaxOctetsPerOwner / 16 * 9;
static_assert(kMaxBackendOctets + kMaxNameOctetsPerOwner + kTaskLimits.octets +
                  kProcessLimits.octets + kMaxValueOctets + 1 <=
              kMaxOctetsPerOwner);

std::size_t octets_of(const std::map<std::string, std::string>& rows) {
  std::size_t octets = 0;
  for (const auto& [key, value] : rows) octets += key.size() + value.size();
  return octets;
}

}  // namespace

OwnRows::OwnRows(std::string node) : tasks_(node, kTaskLimits), processes_(node, kProcessLimits) {
  options_.node_name = std::move(node);
}

void OwnRows::apply(const std::string& source, const service::SourceChange& change) {
  for (const service::BackendRow& row : change.removed) this->change(source, row, false);
  for (const service::BackendRow& row : change.added) this->change(source, row, true);
  tasks_.apply(source, change.tasks_removed, change.tasks_added);
  processes_.apply(source, change.processes_removed, change.processes_added);
}

void OwnRows::change(const std::string& source, const service::BackendRow& row, bool add) {
  // What is of no use to this node, such as a backend of another family, is of none to others.
  if (service::refusal(row, options_)) return;
  const auto origin = origins_.try_emplace(source).first;
  origin->second.node = options_.node_name;
  origin->second.source = source;
  const GroupKey key{row.vip, row.backend.address.is_v6(), row.vip_port, row.protocol};
  auto& rows = groups_[key].rows;
  const auto place = std::partition_point(rows.begin(), rows.end(), [&](const auto& known) {
    return service::SourcedRow{known.first, &known.second} <
           service::SourcedRow{&origin->second, &row};
  });
  if (add)
    rows.insert(place, {&origin->second, row});
  else if (place != rows.end() && place->first == &origin->second && place->second == row)
    rows.erase(place);
  touched_.insert(key);
}

/// The rows that a VIP should have; notes those that can't be rows.
OwnRows::Published OwnRows::wanted(const GroupKey& key, Group& group) const {
  Published wanted;
  group.rejected.clear();
  if (group.rows.empty()) return wanted;
  std::vector<service::SourcedRow> rows;
  rows.reserve(group.rows.size());
  for (const auto& [origin, row] : group.rows) rows.push_back({origin, &row});
  const service::Service merged =
      service::merge_vip({{}, key.port, key.protocol}, rows, {}, options_).service;
  for (const service::Backend& backend : merged.backends) {
    const auto wire = encode_row(service::BackendRow{key.vip, key.port, key.protocol,
                                                     backend.endpoint, backend.weight,
                                                     merged.policy, backend.task, backend.tunnel});
    if (wire)
      wanted.emplace(wire->key(), wire->value());
    else
      group.rejected.push_back({options_.node_name + ": " + backend.task, wire.error().context});
  }
  return wanted;
}

bool OwnRows::has_room(const Group& group, const Published& wanted) const {
  return vips_ - (group.published.empty() ? 0 : 1) + (wanted.empty() ? 0 : 1) <= kMaxVipsPerOwner &&
         rows_ - group.published.size() + wanted.size() <= kMaxBackendRows &&
         octets_ - octets_of(group.published) + octets_of(wanted) <= kMaxBackendOctets;
}

void OwnRows::publish(const GroupKey& key, Group& group, std::vector<RowChange>& changes) {
  Published rows = wanted(key, group);
  withheld_.erase(key);
  if (!has_room(group, rows)) {
    rows.clear();
    withheld_.insert(key);
    group.rejected.push_back({options_.node_name + ": " + group.rows.front().second.task,
                              "other nodes are not told of this VIP: this node has more than it "
                              "may publish"});
  }
  for (const auto& [wire_key, value] : group.published)
    if (!rows.contains(wire_key)) changes.emplace_back(wire_key);
  for (const auto& [wire_key, value] : rows) {
    const auto known = group.published.find(wire_key);
    if (known == group.published.end() || known->second != value)
      changes.emplace_back(wire_key, value);
  }
  const bool before = !group.published.empty();
  const bool after = !rows.empty();
  vips_ += static_cast<std::size_t>(after) - static_cast<std::size_t>(before);
  rows_ += rows.size() - group.published.size();
  octets_ += octets_of(rows) - octets_of(group.published);
  group.published = std::move(rows);
  const auto* name = std::get_if<service::VipName>(&key.vip);
  if (name && before != after) names_.use(name->value, after);
}

void OwnRows::publish(const std::set<GroupKey>& keys, std::vector<RowChange>& changes) {
  for (const GroupKey& key : keys) {
    const auto group = groups_.find(key);
    if (group == groups_.end()) continue;
    publish(key, group->second, changes);
    if (group->second.rows.empty()) groups_.erase(group);
  }
}

std::vector<RowChange> OwnRows::take(base::Time now) {
  std::vector<RowChange> changes;
  const std::set<GroupKey> withheld = withheld_;
  const auto before = std::tuple(vips_, rows_, octets_);
  publish(std::exchange(touched_, {}), changes);
  const auto after = std::tuple(vips_, rows_, octets_);
  if (get<0>(after) < get<0>(before) || get<1>(after) < get<1>(before) ||
      get<2>(after) < get<2>(before))
    publish(withheld, changes);  // there is room again
  names_.take(now, changes);
  tasks_.take(changes);
  processes_.take(changes);
  if (facts_ && facts_->value() != published_facts_) {
    published_facts_ = facts_->value();
    changes.emplace_back(std::string(facts_->key()), published_facts_);
  }
  // A key that was touched twice ends as the later change says.
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& one, const auto& other) { return one.key < other.key; });
  std::vector<RowChange> last;
  for (RowChange& one : changes) {
    if (!last.empty() && last.back().key == one.key) last.pop_back();
    last.push_back(std::move(one));
  }
  return last;
}

std::vector<service::RejectedRow> OwnRows::rejected() const {
  std::vector<service::RejectedRow> all;
  for (const auto& [key, group] : groups_)
    all.insert(all.end(), group.rejected.begin(), group.rejected.end());
  tasks_.rejected(all);
  processes_.rejected(all);
  return all;
}

}  // namespace viaduct::gossip
