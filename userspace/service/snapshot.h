#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/sorted_chunks.h"
#include "service/local_table.h"
#include "service/mesos_row.h"
#include "service/named_address.h"
#include "service/node_rows.h"
#include "service/row.h"

namespace viaduct::service {

struct Backend {
  base::Endpoint endpoint;
  std::uint16_t weight = 1;
  base::Endpoint dial;  ///< where this node really connects: differs for a port mapping of its own
  std::string node;     ///< the publishing node
  std::string task;
  /// Where packets from outside are sent to reach it; absent: it runs on this machine.
  std::optional<base::Address> tunnel{};

  auto operator<=>(const Backend&) const = default;
  bool operator==(const Backend&) const = default;
};

/// A VIP with its backends and policy. Immutable once in a snapshot.
struct Service {
  VipKey key;
  std::string name;  ///< canonical named VIP, "" for an address VIP
  Policy policy;
  std::vector<Backend>
      backends;  ///< sorted by endpoint, no endpoint twice, all of the key's family

  bool operator==(const Service&) const = default;
};

/// A named VIP's addresses: at most one per family, only families that have backends.
struct NamedVip {
  std::string name;
  std::vector<base::Address> addresses;

  bool operator==(const NamedVip&) const = default;
};

struct ServiceKey {
  const VipKey& operator()(const std::shared_ptr<const Service>& service) const {
    return service->key;
  }
};
using Services = base::SortedChunks<std::shared_ptr<const Service>, ServiceKey>;

struct NamedVipKey {
  const std::string& operator()(const NamedVip& named) const { return named.name; }
};
using NamedVips = base::SortedChunks<NamedVip, NamedVipKey>;

/// A running task and the node that says so.
struct Task {
  TaskRow row;
  std::string node;

  bool operator==(const Task&) const = default;
};

/// Tasks of one name stand together: framework, label, id, node, agent.
struct TaskKey {
  using Value = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view,
                           std::string_view>;
  Value operator()(const std::shared_ptr<const Task>& task) const {
    return {task->row.framework, task->row.label(), task->row.id, task->node, task->row.agent_id};
  }
};
using Tasks = base::SortedChunks<std::shared_ptr<const Task>, TaskKey>;

/// All that the leading Mesos master says. Only nodes that ask it know.
struct MasterView {
  bool known = false;  ///< it has answered since the start
  Tasks tasks{};       ///< the running ones of all agents
  MesosProcesses processes{};
};

/// Conflicts that were settled while merging; counted and shown.
struct MergeNotes {
  base::SortedChunks<RejectedRow, std::identity> rejected;
};

/// All live rows merged. Immutable; what did not change is shared with the snapshot before, so
/// the lists' `compare` finds what did in little time.
struct Snapshot {
  std::uint64_t revision = 0;
  bool complete = false;  ///< false: sinks may add, but not withdraw
  Services services;
  NamedVips names;
  MergeNotes notes;
  Tasks tasks{};               ///< that nodes publish
  MesosProcesses processes{};  ///< the same
  MasterView master{};

  /// The service of a key, null if there is none.
  const Service* find(const VipKey& key) const;
};

/// Whether any service has an address.
bool has_address(const Snapshot& snapshot, const base::Address& address);

struct MergeOptions {
  NamedRanges ranges;
  base::Address node_address;   ///< this node, for its own port mappings
  base::Address node_address6;  ///< the same of IPv6; unspecified: none
  std::string node_name;
  bool enable_ipv6 = true;  ///< whether named VIPs take IPv6 backends and IPv6 VIPs exist at all
};

/// A row with who says it.
struct SourcedRow {
  const Origin* origin;
  const BackendRow* row;
};
/// Whatever is settled by "the first wins" follows this order: node, source, task, then all the
/// rest. Nodes come first, so that all nodes settle alike.
bool operator<(const SourcedRow& left, const SourcedRow& right);

/// Host ports of this node that lead to containers.
using PortMappings = std::map<std::pair<base::Protocol, std::uint16_t>, base::Endpoint>;

/// A row's entry among the rejected; it says which source, or which other node, the row is from.
RejectedRow reject(const SourcedRow& sourced, std::string reason, const MergeOptions& options);

/// Whether a row is of no use, whatever the others say.
/// @return absent: it is used; else why not, "" for rows that need no mention.
std::optional<std::string> refusal(const BackendRow& row, const MergeOptions& options);

/// Why a named VIP without an address has no service.
std::string no_address(const VipName& name);

/// One VIP's rows merged.
struct MergedVip {
  Service service;
  std::vector<RejectedRow> rejected;
};
/// @param rows  all usable rows of the VIP and its family, sorted; at least one.
MergedVip merge_vip(const VipKey& key, std::span<const SourcedRow> rows,
                    const PortMappings& mappings, const MergeOptions& options);

/// Merges this node's rows and other nodes' from scratch: what a Merger's snapshot equals after any
/// sequence of changes.
/// @param previous  may be null; equal services are shared with it.
std::shared_ptr<const Snapshot> merge(const LocalTable& table, const MergeOptions& options,
                                      const Snapshot* previous);
std::shared_ptr<const Snapshot> merge(const LocalTable& table, const Nodes& nodes,
                                      const MergeOptions& options, const Snapshot* previous);

}  // namespace viaduct::service
