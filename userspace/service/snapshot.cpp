#include "service/snapshot.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace viaduct::service {
namespace {

/// A row with the source it came from; sources and tasks order what is settled by "the first wins".
struct SourcedRow {
  const std::string* source;
  const BackendRow* row;
};

using NamedAddresses = std::map<std::string, base::Address>;
using Mappings = std::map<std::pair<base::Protocol, std::uint16_t>, base::Endpoint>;

std::string place(const SourcedRow& sourced) { return *sourced.source + ": " + sourced.row->task; }

std::string vip_text(const BackendRow& row) {
  const auto* name = std::get_if<VipName>(&row.vip);
  const std::string host = name ? name->value : std::get<base::Address>(row.vip).to_string();
  return std::string(base::to_string(row.protocol)) + " " + host + ":" +
         std::to_string(row.vip_port);
}

class Merge {
 public:
  Merge(const LocalTable& table, const MergeOptions& options) : table_(table), options_(options) {
    collect();
    allocate();
    group();
  }

  std::shared_ptr<const Snapshot> finish(const Snapshot* previous) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->revision = table_.revision();
    snapshot->complete = table_.complete();
    for (auto& [key, service] : services_) {
      std::sort(service.backends.begin(), service.backends.end());
      snapshot->services.push_back(share(std::move(service), previous));
    }
    add_names(*snapshot);
    std::sort(notes_.rejected.begin(), notes_.rejected.end());
    snapshot->notes = std::move(notes_);
    return snapshot;
  }

 private:
  void reject(const SourcedRow& sourced, std::string reason) {
    notes_.rejected.push_back({place(sourced), std::move(reason)});
  }

  /// Takes every usable row, in the order of source and task.
  void collect() {
    for (const auto& [name, source] : table_.sources()) {
      for (const BackendRow& row : source.rows.rows) collect_row({&name, &row});
      for (const PortMapping& mapping : source.rows.port_mappings)
        mappings_.insert({{mapping.protocol, mapping.host_port}, mapping.container});
    }
    std::stable_sort(
        rows_.begin(), rows_.end(), [](const SourcedRow& left, const SourcedRow& right) {
          return std::tie(*left.source, left.row->task) < std::tie(*right.source, right.row->task);
        });
  }

  void collect_row(const SourcedRow& sourced) {
    const BackendRow& row = *sourced.row;
    const bool v6 = row.backend.address.is_v6();
    if (const auto* address = std::get_if<base::Address>(&row.vip)) {
      if (address->is_v6() != v6)
        return reject(sourced, "VIP " + vip_text(row) + " and backend " + row.backend.to_string() +
                                   " are of different families");
      if (v6 && !options_.enable_ipv6) return reject(sourced, "IPv6 is off (l4lb.ipv6)");
      taken_.insert(*address);
    } else if (v6 && !options_.enable_ipv6) {
      return;
    } else {
      (v6 ? names6_ : names4_).insert(std::get<VipName>(row.vip).value);
    }
    rows_.push_back(sourced);
  }

  void allocate() {
    addresses4_ = allocate_named4(names4_, taken_, options_.ranges);
    addresses6_ = allocate_named6(names6_, taken_, options_.ranges);
  }

  void group() {
    for (const SourcedRow& sourced : rows_) {
      const BackendRow& row = *sourced.row;
      const auto* name = std::get_if<VipName>(&row.vip);
      VipKey key{{}, row.vip_port, row.protocol};
      if (name) {
        const NamedAddresses& addresses = row.backend.address.is_v6() ? addresses6_ : addresses4_;
        const auto found = addresses.find(name->value);
        if (found == addresses.end()) {
          reject(sourced, "no address is left in the range of named VIPs for " + name->value);
          continue;
        }
        key.address = found->second;
      } else {
        key.address = std::get<base::Address>(row.vip);
      }
      Service& service = services_[key];
      service.key = key;
      if (name) service.name = name->value;
      add_policy(service, sourced);
      add_backend(service, sourced);
    }
  }

  /// The first row that says something decides for the VIP.
  void add_policy(Service& service, const SourcedRow& sourced) {
    for (const std::string& conflict : settle(service.policy, sourced.row->policy))
      reject(sourced, "VIP " + vip_text(*sourced.row) + ": " + conflict);
  }

  /// One endpoint counts once; if several rows name it, the one that takes connections wins.
  void add_backend(Service& service, const SourcedRow& sourced) {
    const BackendRow& row = *sourced.row;
    Backend backend{row.backend, row.weight, dial_of(row), options_.node_name, row.task};
    const auto [known, added] =
        endpoints_.try_emplace({service.key, row.backend}, service.backends.size());
    if (added) {
      service.backends.push_back(std::move(backend));
      return;
    }
    Backend& other = service.backends[known->second];
    reject(sourced, "backend " + row.backend.to_string() + " of VIP " + vip_text(row) +
                        " is also published by " + other.task);
    if (other.weight < backend.weight) other = std::move(backend);
  }

  base::Endpoint dial_of(const BackendRow& row) const {
    if (row.backend.address != options_.node_address) return row.backend;
    const auto mapping = mappings_.find({row.protocol, row.backend.port});
    if (mapping == mappings_.end() ||
        mapping->second.address.is_v6() != row.backend.address.is_v6())
      return row.backend;
    return mapping->second;
  }

  static std::shared_ptr<const Service> share(Service service, const Snapshot* previous) {
    if (previous) {
      const auto& old = previous->services;
      const auto found =
          std::lower_bound(old.begin(), old.end(), service.key,
                           [](const auto& entry, const VipKey& key) { return entry->key < key; });
      if (found != old.end() && **found == service) return *found;
    }
    return std::make_shared<const Service>(std::move(service));
  }

  void add_names(Snapshot& snapshot) const {
    std::map<std::string, NamedVip> names;
    for (const NamedAddresses* addresses : {&addresses4_, &addresses6_}) {
      for (const auto& [name, address] : *addresses) {
        NamedVip& named = names[name];
        named.name = name;
        named.addresses.push_back(address);
      }
    }
    for (auto& [name, named] : names) snapshot.names.push_back(std::move(named));
  }

  const LocalTable& table_;
  const MergeOptions& options_;
  std::vector<SourcedRow> rows_;
  Mappings mappings_;
  std::set<std::string> names4_;
  std::set<std::string> names6_;
  std::set<base::Address> taken_;
  NamedAddresses addresses4_;
  NamedAddresses addresses6_;
  std::map<VipKey, Service> services_;
  std::map<std::pair<VipKey, base::Endpoint>, std::size_t> endpoints_;
  MergeNotes notes_;
};

}  // namespace

const Service* Snapshot::find(const VipKey& key) const {
  const auto found =
      std::lower_bound(services.begin(), services.end(), key,
                       [](const auto& entry, const VipKey& wanted) { return entry->key < wanted; });
  return found != services.end() && (*found)->key == key ? found->get() : nullptr;
}

std::shared_ptr<const Snapshot> merge(const LocalTable& table, const MergeOptions& options,
                                      const Snapshot* previous) {
  return Merge(table, options).finish(previous);
}

}  // namespace viaduct::service
