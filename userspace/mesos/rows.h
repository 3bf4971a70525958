#pragma once

#include "base/address.h"
#include "mesos/agent_state.h"
#include "service/row.h"

namespace viaduct::mesos {

/// What this node publishes for the tasks of its agent: their VIPs' backends, the host ports
/// that lead into containers, and what DNS has to know of the running ones. A label, port or task
/// that cannot be used is rejected with its place; nothing else is affected.
/// @param node  this node's address: backends on host ports have it, and tasks that report it are
/// taken to use the
///              host's network.
/// @return rows sorted, no (VIP, protocol, backend) twice; `rejected` begins with the state's own.
/// Source: facts on dcos-net, 1.1-1.6 and 1.9; deviations are listed in this module's README.md.
service::SourceRows make_rows(const AgentState& state, const base::Address& node);

/// What this node publishes for its agent itself: where it is.
/// @return no row if the agent's id is too long for one; it is among the rejected.
service::SourceRows agent_row(const AgentInfo& agent, const base::Address& node);

/// Weight of a task's backends: 1, or 0 when it is ending, unhealthy, or has a health check without
/// a result yet. Source: facts on dcos-net, 1.6.
std::uint16_t task_weight(const Task& task);

}  // namespace viaduct::mesos
