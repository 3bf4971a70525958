#pragma once

#include <vector>

#include "service/mesos_row.h"
#include "service/task_row.h"

namespace viaduct::service {

/// What changed in a Mesos cluster, as its leading master tells it. Rows that are removed equal
/// those that were added.
struct MasterChange {
  std::vector<TaskRow> tasks_removed;
  std::vector<TaskRow> tasks_added;
  std::vector<MesosRow> removed;
  std::vector<MesosRow> added;

  explicit operator bool() const {
    return !tasks_removed.empty() || !tasks_added.empty() || !removed.empty() || !added.empty();
  }
};

}  // namespace viaduct::service
