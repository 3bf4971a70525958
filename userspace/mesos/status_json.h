#pragma once

#include <optional>
#include <vector>

#include "mesos/json_item.h"
#include "mesos/task.h"

namespace viaduct::mesos {

/// What statuses say of a task.
struct StatusFacts {
  std::optional<bool> healthy{};
  std::vector<TaskAddress> addresses{};
  std::vector<service::TaskAddress> label_addresses{};
  std::vector<MappedPort> mappings{};
};

/// Of a list of statuses `statuses`: health from the newest one, and the addresses with the port
/// mappings from the newest one that has any: an address holds for the task's life, while some
/// statuses come without their container.
StatusFacts read_newest_statuses(const JsonItem& task);

/// How the order of a task's statuses is told.
enum class StatusOrder { by_place, by_timestamp };

/// Of a list of statuses `statuses`: addresses and port mappings of the newest one that says
/// TASK_RUNNING.
/// Source: facts on Mesos-DNS, 5.
StatusFacts read_running_status(const JsonItem& task, StatusOrder order);

/// Addresses and port mappings of one status.
StatusFacts read_status(const JsonItem& status);

}  // namespace viaduct::mesos
