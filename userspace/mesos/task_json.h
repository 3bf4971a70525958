#pragma once

#include <optional>

#include "mesos/json_item.h"
#include "mesos/task.h"

namespace viaduct::mesos {

/// Reads one Task object of the v1 operator API, agent's or master's.
/// What is wrong within it costs only the port, label, status or address that it stands in; each is
/// rejected with its place.
/// @return absent when there is no usable task id, framework id or state.
/// Source: facts on Mesos' operator API, section 5.
std::optional<Task> read_task(const JsonItem& item);

}  // namespace viaduct::mesos
