#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "service/row_merge.h"
#include "service/snapshot.h"

namespace viaduct::service {

using OwnedTask = Owned<Task>;

/// What tasks are found under: the framework's name and their label.
using TaskName = std::pair<std::string, std::string>;
TaskName name_of(const TaskRow& row);

/// The tasks of one name that DNS knows. Tasks of a dead node go, unless none would be left, as
/// with a VIP's backends; a suspect's stay. Of several rows of a node for one task the first
/// counts.
/// @param tasks  of one framework and label, sorted.
/// @return in the order of node and id, none twice.
std::vector<std::shared_ptr<const Task>> merge_tasks(std::span<const OwnedTask> tasks);

/// Running tasks by name.
struct TaskKind {
  using Row = TaskRow;
  using Shown = Task;
  using Group = TaskName;
  using List = Tasks;
  using Key = TaskKey;

  static Group group_of(const Row& row) { return name_of(row); }
  /// Two frameworks of one name may number their tasks alike, on different agents.
  static std::tuple<std::string_view, std::string_view, std::string_view> place_of(
      const Task& task) {
    return {task.node, task.row.id, task.row.agent_id};
  }
  static std::vector<std::shared_ptr<const Task>> merge(std::span<const OwnedTask> tasks) {
    return merge_tasks(tasks);
  }
};
using TaskMerge = RowMerge<TaskKind>;

}  // namespace viaduct::service
