#include "service/snapshot.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace viaduct::service {
namespace {

using NamedAddresses = std::map<std::string, base::Address>;

std::string vip_text(const BackendRow& row) {
  const auto* name = std::get_if<VipName>(&row.vip);
  const std::string host = name ? name->value : std::get<base::Address>(row.vip).to_string();
  return std::string(base::to_string(row.protocol)) + " " + host + ":" +
         std::to_string(row.vip_port);
}

class VipMerge {
 public:
  VipMerge(const VipKey& key, const PortMappings& mappings, const MergeOptions& options)
      : mappings_(mappings), options_(options) {
    merged_.service.key = key;
  }

  MergedVip merge(std::span<const SourcedRow> rows) {
    if (const auto* name = std::get_if<VipName>(&rows.front().row->vip))
      merged_.service.name = name->value;
    for (const SourcedRow& sourced : rows) {
      add_policy(merged_.service, sourced);
      add_backend(merged_.service, sourced);
    }
    std::sort(merged_.service.backends.begin(), merged_.service.backends.end());
    return std::move(merged_);
  }

 private:
  void reject(const SourcedRow& sourced, std::string reason) {
    merged_.rejected.push_back(service::reject(sourced, std::move(reason)));
  }

  /// The first row that says something decides for the VIP.
  void add_policy(Service& service, const SourcedRow& sourced) {
    for (const std::string& conflict : settle(service.policy, sourced.row->policy))
      reject(sourced, "VIP " + vip_text(*sourced.row) + ": " + conflict);
  }

  /// One endpoint counts once; if several rows name it, the one that takes connections wins.
  void add_backend(Service& service, const SourcedRow& sourced) {
    const BackendRow& row = *sourced.row;
    Backend backend{row.backend,        row.weight, dial_of(row),
                    options_.node_name, row.task,   is_here(row) ? std::nullopt : row.tunnel};
    const auto [known, added] = endpoints_.try_emplace(row.backend, service.backends.size());
    if (added) {
      service.backends.push_back(std::move(backend));
      return;
    }
    Backend& other = service.backends[known->second];
    reject(sourced, "backend " + row.backend.to_string() + " of VIP " + vip_text(row) +
                        " is also published by " + other.task);
    if (other.weight < backend.weight) other = std::move(backend);
  }

  bool is_here(const BackendRow& row) const {
    return row.tunnel == options_.node_address || row.tunnel == options_.node_address6;
  }

  base::Endpoint dial_of(const BackendRow& row) const {
    if (row.backend.address != options_.node_address) return row.backend;
    const auto mapping = mappings_.find({row.protocol, row.backend.port});
    if (mapping == mappings_.end() ||
        mapping->second.address.is_v6() != row.backend.address.is_v6())
      return row.backend;
    return mapping->second;
  }

  const PortMappings& mappings_;
  const MergeOptions& options_;
  std::map<base::Endpoint, std::size_t> endpoints_;
  MergedVip merged_;
};

/// Merges a whole table.
class Merge {
 public:
  Merge(const LocalTable& table, const MergeOptions& options) : options_(options) {
    for (const auto& [name, source] : table.sources()) {
      for (const auto& [part_name, part] : source.parts.by_name()) {
        for (const BackendRow& row : part->rows) collect({&name, &row});
        for (const PortMapping& mapping : part->port_mappings)
          mappings_.insert({{mapping.protocol, mapping.host_port}, mapping.container});
      }
    }
    std::sort(rows_.begin(), rows_.end());
    addresses4_ = allocate_named4(names4_, taken_, options_.ranges);
    addresses6_ = allocate_named6(names6_, taken_, options_.ranges);
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
    snapshot->notes.rejected = std::move(rejected_);
    return snapshot;
  }

 private:
  void collect(const SourcedRow& sourced) {
    const BackendRow& row = *sourced.row;
    if (const auto why = refusal(row, options_)) {
      if (!why->empty()) rejected_.push_back(reject(sourced, *why));
      return;
    }
    if (const auto* address = std::get_if<base::Address>(&row.vip))
      taken_.insert(*address);
    else
      (row.backend.address.is_v6() ? names6_ : names4_).insert(std::get<VipName>(row.vip).value);
    rows_.push_back(sourced);
  }

  void group(const SourcedRow& sourced) {
    const BackendRow& row = *sourced.row;
    VipKey key{{}, row.vip_port, row.protocol};
    if (const auto* name = std::get_if<VipName>(&row.vip)) {
      const NamedAddresses& addresses = row.backend.address.is_v6() ? addresses6_ : addresses4_;
      const auto found = addresses.find(name->value);
      if (found == addresses.end()) {
        rejected_.push_back(reject(sourced, no_address(*name)));
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
    for (const NamedAddresses* addresses : {&addresses4_, &addresses6_}) {
      for (const auto& [name, address] : *addresses) {
        NamedVip& named = names[name];
        named.name = name;
        named.addresses.push_back(address);
      }
    }
    std::vector<NamedVip> all;
    for (auto& [name, named] : names) all.push_back(std::move(named));
    return all;
  }

  const MergeOptions& options_;
  std::vector<SourcedRow> rows_;
  PortMappings mappings_;
  std::set<std::string> names4_;
  std::set<std::string> names6_;
  std::set<base::Address> taken_;
  NamedAddresses addresses4_;
  NamedAddresses addresses6_;
  std::map<VipKey, std::vector<SourcedRow>> vips_;
  std::vector<RejectedRow> rejected_;
};

}  // namespace

bool operator<(const SourcedRow& left, const SourcedRow& right) {
  return std::tie(*left.source, left.row->task, *left.row) <
         std::tie(*right.source, right.row->task, *right.row);
}

RejectedRow reject(const SourcedRow& sourced, std::string reason) {
  return {*sourced.source + ": " + sourced.row->task, std::move(reason)};
}

std::optional<std::string> refusal(const BackendRow& row, const MergeOptions& options) {
  const bool v6 = row.backend.address.is_v6();
  const auto* address = std::get_if<base::Address>(&row.vip);
  if (address && address->is_v6() != v6)
    return "VIP " + vip_text(row) + " and backend " + row.backend.to_string() +
           " are of different families";
  if (v6 && !options.enable_ipv6) return address ? "IPv6 is off (l4lb.ipv6)" : "";
  return std::nullopt;
}

std::string no_address(const VipName& name) {
  return "no address is left in the range of named VIPs for " + name.value;
}

MergedVip merge_vip(const VipKey& key, std::span<const SourcedRow> rows,
                    const PortMappings& mappings, const MergeOptions& options) {
  return VipMerge(key, mappings, options).merge(rows);
}

const Service* Snapshot::find(const VipKey& key) const {
  const auto* found = services.find(key);
  return found ? found->get() : nullptr;
}

bool has_address(const Snapshot& snapshot, const base::Address& address) {
  const auto first = snapshot.services.lower_bound({address, 0, base::Protocol{}});
  return first != snapshot.services.end() && (*first)->key.address == address;
}

std::shared_ptr<const Snapshot> merge(const LocalTable& table, const MergeOptions& options,
                                      const Snapshot* previous) {
  auto snapshot = Merge(table, options).finish(previous);
  snapshot->revision = table.revision();
  snapshot->complete = table.complete();
  return snapshot;
}

}  // namespace viaduct::service
