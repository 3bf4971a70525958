#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "service/row.h"

namespace viaduct::service {

/// What is thought of a node whose backends are asked for.
enum class Mask : std::uint8_t {
  none,
  suspect,  ///< no new connections, if that leaves enough of a VIP
  dead,     ///< died or left: not used, if that leaves anything of a VIP
};

/// Where tunnels to a node end.
struct NodeTunnels {
  std::optional<base::Address> v4;
  std::optional<base::Address> v6;

  bool operator==(const NodeTunnels&) const = default;
  /// The one of a backend's family, else the other.
  std::optional<base::Address> of(bool v6_backend) const {
    if (v6_backend) return v6 ? v6 : v4;
    return v4 ? v4 : v6;
  }
};

/// Who says a row: a source of this node, or another node.
struct Origin {
  std::string node;
  std::string source;  ///< "" of another node
  Mask mask = Mask::none;
  NodeTunnels tunnels;
};

/// All that another node publishes, and what is thought of it.
struct NodeRows {
  std::vector<BackendRow> rows;  ///< of this node's own entry none count
  std::vector<NamedTick> names;
  Mask mask = Mask::none;
  NodeTunnels tunnels;
  std::vector<TaskRow> tasks{};       ///< of this node's own entry none count
  std::vector<MesosRow> processes{};  ///< the same
};
using Nodes = std::map<std::string, NodeRows>;

/// What changed among the rows that a node publishes.
struct NodeChange {
  std::vector<BackendRow> removed;
  std::vector<BackendRow> added;
  std::vector<NamedTick> names_removed;
  std::vector<NamedTick> names_added;
  std::vector<TaskRow> tasks_removed{};
  std::vector<TaskRow> tasks_added{};
  std::vector<MesosRow> processes_removed{};
  std::vector<MesosRow> processes_added{};
};

}  // namespace viaduct::service
