#include "service/snapshot.h"

#include <algorithm>
#include <iterator>
#include <list>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "service/process_merge.h"
#include "service/task_merge.h"

namespace viaduct::service {
namespace {

using NamedAddresses = std::map<std::string, base::Address>;

/// Merges a whole table.
class Merge {
 public:
  Merge(const LocalTable& table, const Nodes& nodes, const MergeOptions& options)
      : options_(options) {
    for (const auto& [name, source] : table.sources()) {
      const Origin* origin = &origins_.emplace_back(Origin{options.node_name, name, {}, {}});
      for (const auto& [part_name, part] : source.parts.by_name()) {
        for (const BackendRow& row : part->rows) collect({origin, &row});
        for (const PortMapping& mapping : part->port_mappings)
          mappings_.insert({{mapping.protocol, mapping.host_port}, mapping.container});
        for (const TaskRow& row : part->tasks) collect(*origin, row);
        for (const MesosRow& row : part->processes) collect(*origin, row);
      }
    }
    for (const auto& [name, node] : nodes) collect(name, node);
    std::sort(rows_.begin(), rows_.end());
    addresses4_ = allocate_named4(names_, taken_, options_.ranges);
    if (options_.enable_ipv6) addresses6_ = allocate_named6(names_, taken_, options_.ranges);
    for (const SourcedRow& sourced : rows_) group(sourced);
  }

  std::shared_ptr<Snapshot> finish(const Snapshot* previous) {
    auto snapshot = std::make_shared<Snapshot>();
    std::vector<std::shared_ptr<const Service>> services;
    for (const auto& [key, rows] : vips_) {
      MergedVip merged = merge_vip(key, rows, mappings_, options_);
      const auto* old = previous ? previous->services.find(key) : nullptr;
      services.push_back(old && **old == merged.service
                             ? *old
                             : std::make_shared<const Service>(std::move(merged.service)));
      std::move(merged.rejected.begin(), merged.rejected.end(), std::back_inserter(rejected_));
    }
    snapshot->services = std::move(services);
    snapshot->names = names();
    snapshot->tasks = merged<TaskKind>(tasks_);
    snapshot->processes = merged<ProcessKind>(processes_);
    snapshot->notes.rejected = std::move(rejected_);
    return snapshot;
  }

 private:
  void collect(const std::string& name, const NodeRows& node) {
    for (const NamedTick& named : node.names) add_name(named.name, named.tick);
    if (name == options_.node_name) return;
    const Origin* origin = &origins_.emplace_back(Origin{name, "", node.mask, node.tunnels});
    for (const BackendRow& row : node.rows) collect({origin, &row});
    for (const TaskRow& row : node.tasks) collect(*origin, row);
    for (const MesosRow& row : node.processes) collect(*origin, row);
  }

  void collect(const Origin& origin, const TaskRow& row) {
    tasks_[name_of(row)].push_back(owned<TaskKind>(origin, row));
  }
  void collect(const Origin& origin, const MesosRow& row) {
    processes_[ProcessKind::group_of(row)].push_back(owned<ProcessKind>(origin, row));
  }

  template <class Kind>
  using Groups = std::map<typename Kind::Group, std::vector<Owned<typename Kind::Shown>>>;

  template <class Kind>
  static std::vector<std::shared_ptr<const typename Kind::Shown>> merged(Groups<Kind>& groups) {
    std::vector<std::shared_ptr<const typename Kind::Shown>> all;
    for (auto& [name, rows] : groups) {
      std::sort(rows.begin(), rows.end());
      const auto shown = Kind::merge(rows);
      all.insert(all.end(), shown.begin(), shown.end());
    }
    return all;
  }

  void collect(const SourcedRow& sourced) {
    const BackendRow& row = *sourced.row;
    if (const auto why = refusal(row, options_)) {
      if (!why->empty()) rejected_.push_back(reject(sourced, *why, options_));
      return;
    }
    if (const auto* address = std::get_if<base::Address>(&row.vip)) {
      taken_.insert(*address);
    } else {
      const std::string& name = std::get<VipName>(row.vip).value;
      add_name(name, kNoTick);
      (row.backend.address.is_v6() ? backed6_ : backed4_).insert(name);
    }
    rows_.push_back(sourced);
  }

  void add_name(const std::string& name, Tick tick) {
    Tick& known = names_.try_emplace(name, tick).first->second;
    known = std::min(known, tick);
  }

  void group(const SourcedRow& sourced) {
    const BackendRow& row = *sourced.row;
    VipKey key{{}, row.vip_port, row.protocol};
    if (const auto* name = std::get_if<VipName>(&row.vip)) {
      const NamedAddresses& addresses = row.backend.address.is_v6() ? addresses6_ : addresses4_;
      const auto found = addresses.find(name->value);
      if (found == addresses.end()) {
        rejected_.push_back(reject(sourced, no_address(*name), options_));
        return;
      }
      key.address = found->second;
    } else {
      key.address = std::get<base::Address>(row.vip);
    }
    vips_[key].push_back(sourced);
  }

  std::vector<NamedVip> names() const {
    std::map<std::string, NamedVip> names;
    const auto add = [&](const NamedAddresses& addresses, const std::set<std::string>& backed) {
      for (const std::string& name : backed) {
        const auto found = addresses.find(name);
        if (found == addresses.end()) continue;
        NamedVip& named = names[name];
        named.name = name;
        named.addresses.push_back(found->second);
      }
    };
    add(addresses4_, backed4_);
    add(addresses6_, backed6_);
    std::vector<NamedVip> all;
    for (auto& [name, named] : names) all.push_back(std::move(named));
    return all;
  }

  const MergeOptions& options_;
  std::list<Origin> origins_;
  std::vector<SourcedRow> rows_;
  PortMappings mappings_;
  std::map<std::string, Tick> names_;
  std::set<std::string> backed4_;  ///< names with backends
  std::set<std::string> backed6_;
  std::set<base::Address> taken_;
  NamedAddresses addresses4_;
  NamedAddresses addresses6_;
  std::map<VipKey, std::vector<SourcedRow>> vips_;
  Groups<TaskKind> tasks_;
  Groups<ProcessKind> processes_;
  std::vector<RejectedRow> rejected_;
};

}  // namespace

bool operator<(const SourcedRow& left, const SourcedRow& right) {
  return std::tie(left.origin->node, left.origin->source, left.row->task, *left.row) <
         std::tie(right.origin->node, right.origin->source, right.row->task, *right.row);
}

const Service* Snapshot::find(const VipKey& key) const {
  const auto* found = services.find(key);
  return found ? found->get() : nullptr;
}

bool has_address(const Snapshot& snapshot, const base::Address& address) {
  const auto first = snapshot.services.lower_bound({address, 0, base::Protocol{}});
  return first != snapshot.services.end() && (*first)->key.address == address;
}

std::shared_ptr<const Snapshot> merge(const LocalTable& table, const Nodes& nodes,
                                      const MergeOptions& options, const Snapshot* previous) {
  auto snapshot = Merge(table, nodes, options).finish(previous);
  snapshot->revision = table.revision();
  snapshot->complete = table.complete();
  return snapshot;
}

std::shared_ptr<const Snapshot> merge(const LocalTable& table, const MergeOptions& options,
                                      const Snapshot* previous) {
  return merge(table, {}, options, previous);
}

}  // namespace viaduct::service
