#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mesos/json_item.h"
#include "mesos/task.h"

namespace viaduct::mesos {

/// Reads one Task object of the v1 operator API, agent's or master's.
/// What is wrong within it costs only the port, label, status or address that it stands in; each is
/// rejected with its place.
/// @return absent when there is no usable task id, framework id or state.
/// Source: facts on Mesos' operator API, section 5.
std::optional<Task> read_task(const JsonItem& item);

/// How a master writes a task.
enum class TaskForm : std::uint8_t {
  v1,     ///< the operator API
  state,  ///< `/state`: plain ids, resources as text, labels as a list
};

/// A task as a master knows it.
struct ClusterTask {
  Task task;
  bool ended = false;  ///< terminal, or out of the master's reach
  /// Only its statuses tell its port mappings: it has no container of its own, like a pod's.
  bool mappings_from_status = false;
};

/// Whether a task in this state is none that may go on without being told anew.
bool is_ended(std::string_view state);

/// Reads a task of a master, in whatever state that has not ended: updates tell no details.
/// Addresses and, with `mappings_from_status`, port mappings come from the newest status that says
/// TASK_RUNNING; ports are sorted.
/// @param framework_id  "": the task says itself.
/// @return absent when there is no usable task id, framework id or state.
std::optional<ClusterTask> read_cluster_task(const JsonItem& item, TaskForm form,
                                             const std::string& framework_id);

}  // namespace viaduct::mesos
