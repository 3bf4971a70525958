#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "mesos/masters.h"
#include "service/row.h"
#include "zookeeper/node.h"

namespace viaduct::mesos {

/// Whether a node of Mesos' path in ZooKeeper announces a master: "json.info_..." or "info_...".
/// Others, such as "log_replicas", are none of ours.
bool announces_master(std::string_view name);

/// What the nodes say, and which of them say nothing.
struct LeaderNodes {
  Masters masters;  ///< `all` in the order of their numbers, each once
  std::vector<service::RejectedRow> rejected;
};

/// Reads the nodes that masters make while they wait to lead: the one with the lowest number leads.
/// A node that cannot be read costs only itself; if it is the leading one, the leader is not known.
/// @param nodes  in any order; nodes that announce no master are passed over.
LeaderNodes read_leader_nodes(std::span<const zookeeper::Node> nodes);

}  // namespace viaduct::mesos
