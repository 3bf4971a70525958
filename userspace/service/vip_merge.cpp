#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/snapshot.h"

namespace viaduct::service {
namespace {

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
      add_policy(sourced);
      add_backend(sourced);
    }
    mask_dead();
    mask_suspect();
    for (Chosen& chosen : chosen_) merged_.service.backends.push_back(backend_of(chosen));
    std::sort(merged_.service.backends.begin(), merged_.service.backends.end());
    return std::move(merged_);
  }

 private:
  /// The row that speaks for an endpoint.
  struct Chosen {
    SourcedRow sourced;
    std::uint16_t weight;
    Mask mask() const { return sourced.origin->mask; }
  };

  void reject(const SourcedRow& sourced, std::string reason) {
    merged_.rejected.push_back(service::reject(sourced, std::move(reason), options_));
  }

  /// The first row that says something decides for the VIP; masked nodes have their say, so that
  /// nodes which do not think alike of them still settle alike.
  void add_policy(const SourcedRow& sourced) {
    for (const std::string& conflict : settle(merged_.service.policy, sourced.row->policy))
      reject(sourced, "VIP " + vip_text(*sourced.row) + ": " + conflict);
  }

  /// One endpoint counts once; if several rows name it, one of a node that lives wins, then one
  /// that takes connections.
  void add_backend(const SourcedRow& sourced) {
    const BackendRow& row = *sourced.row;
    const auto [known, added] = endpoints_.try_emplace(row.backend, chosen_.size());
    if (added) {
      chosen_.push_back({sourced, row.weight});
      return;
    }
    Chosen& other = chosen_[known->second];
    if (other.sourced.origin->node == sourced.origin->node)  // several nodes may well name one
      reject(sourced, "backend " + row.backend.to_string() + " of VIP " + vip_text(row) +
                          " is also published by " + other.sourced.row->task);
    const Mask mask = sourced.origin->mask;
    if (mask < other.mask() || (mask == other.mask() && other.weight < row.weight))
      other = {sourced, row.weight};
  }

  void mask_dead() {
    const auto dead = [](const Chosen& chosen) { return chosen.mask() == Mask::dead; };
    if (!std::all_of(chosen_.begin(), chosen_.end(), dead)) std::erase_if(chosen_, dead);
  }

  /// Doubt stops new connections only where half of those who take any are beyond doubt: if more
  /// seem to fail at once, the fault is likely on our side.
  void mask_suspect() {
    const auto takes = [](const Chosen& chosen) { return chosen.weight > 0; };
    const auto suspect = [](const Chosen& chosen) {
      return chosen.weight > 0 && chosen.mask() == Mask::suspect;
    };
    const auto all = std::count_if(chosen_.begin(), chosen_.end(), takes);
    const auto suspects = std::count_if(chosen_.begin(), chosen_.end(), suspect);
    if (2 * suspects > all) return;
    for (Chosen& chosen : chosen_)
      if (suspect(chosen)) chosen.weight = 0;
  }

  Backend backend_of(const Chosen& chosen) const {
    const BackendRow& row = *chosen.sourced.row;
    return {row.backend, chosen.weight,    dial_of(row), chosen.sourced.origin->node,
            row.task,    tunnel_of(chosen)};
  }

  bool is_here(const base::Address& address) const {
    return address == options_.node_address || address == options_.node_address6;
  }

  std::optional<base::Address> tunnel_of(const Chosen& chosen) const {
    const BackendRow& row = *chosen.sourced.row;
    const Origin& origin = *chosen.sourced.origin;
    auto tunnel = row.tunnel;
    if (!tunnel && origin.node != options_.node_name && !is_here(row.backend.address))
      tunnel = origin.tunnels.of(row.backend.address.is_v6());
    return tunnel && is_here(*tunnel) ? std::nullopt : tunnel;
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
  std::vector<Chosen> chosen_;
  MergedVip merged_;
};

}  // namespace

RejectedRow reject(const SourcedRow& sourced, std::string reason, const MergeOptions& options) {
  const Origin& origin = *sourced.origin;
  const std::string who = origin.node == options.node_name ? origin.source : "node " + origin.node;
  return {who + ": " + sourced.row->task, std::move(reason)};
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

}  // namespace viaduct::service
