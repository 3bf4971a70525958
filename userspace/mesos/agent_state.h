#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mesos/task.h"
#include "service/row.h"

namespace viaduct::mesos {

/// What an agent's GET_STATE answer says about its tasks.
struct AgentState {
  std::vector<Task> tasks;                        ///< launched ones, (framework_id, id) never twice
  std::map<std::string, std::string> frameworks;  ///< id -> registered name
  std::vector<service::RejectedRow> rejected;     ///< what could not be read, with its place
};

/// An agent's usual port.
inline constexpr std::uint16_t kAgentPort = 5051;

/// What an agent says about itself.
struct AgentInfo {
  std::string id;
  std::string hostname;  ///< need not resolve
  std::uint16_t port = kAgentPort;

  bool operator==(const AgentInfo&) const = default;
};

/// Reads the answer to GET_STATE.
/// Tasks come from `launched_tasks`, or from `tasks` where that is missing. Only running and ending
/// tasks have their details read. Unknown members are ignored; nonsense within a task, port, label
/// or framework costs that item alone and is listed in `rejected`.
/// @errors bad_json, unexpected_shape: nothing can be concluded, also not that there are no tasks.
base::Result<AgentState> parse_agent_state(std::string_view text);

/// Reads the answer to GET_AGENT.
/// @errors bad_json, unexpected_shape.
base::Result<AgentInfo> parse_agent_info(std::string_view text);

}  // namespace viaduct::mesos
