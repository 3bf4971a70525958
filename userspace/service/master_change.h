#pragma once

#include <cstddef>
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

  std::size_t size() const {
    return tasks_removed.size() + tasks_added.size() + removed.size() + added.size();
  }
  explicit operator bool() const {
    return !tasks_removed.empty() || !tasks_added.empty() || !removed.empty() || !added.empty();
  }
};

/// A change in pieces of at most `limit` rows each. What comes is in earlier pieces than what goes,
/// so that a task whose row differs is there all the time.
/// @param limit  at least 1.
std::vector<MasterChange> in_pieces(MasterChange change, std::size_t limit);

}  // namespace viaduct::service
