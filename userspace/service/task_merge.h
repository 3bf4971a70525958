#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "service/node_rows.h"
#include "service/snapshot.h"

namespace viaduct::service {

/// A task with who says so.
struct OwnedTask {
  const Origin* origin;
  std::shared_ptr<const Task> task;
};
/// The order in which "the first wins": node, source, then the row.
bool operator<(const OwnedTask& left, const OwnedTask& right);

/// The tasks of one name that DNS knows. Tasks of a dead node go, unless none would be left, as
/// with a VIP's backends; a suspect's stay. Of several rows of a node for one task the first
/// counts.
/// @param tasks  of one framework and label, sorted.
/// @return in the order of node and id, none twice.
std::vector<std::shared_ptr<const Task>> merge_tasks(std::span<const OwnedTask> tasks);

/// What tasks are found under: the framework's name and their label.
using TaskName = std::pair<std::string, std::string>;
TaskName name_of(const TaskRow& row);

/// Merges tasks as they change: each change costs the tasks of the names that it touches.
class TaskMerge {
 public:
  /// @param origin  outlives its tasks here.
  void add(const Origin& origin, TaskRow row);
  /// @param row  one that was added.
  void remove(const Origin& origin, const TaskRow& row);
  /// What is thought of a node has changed: costs the names of its tasks.
  void touch_all(const Origin& origin);

  /// Brings the last snapshot's tasks up to date.
  /// @return whether anything differs.
  bool show(Tasks& tasks);

 private:
  struct Group {
    std::vector<OwnedTask> tasks;                    ///< sorted
    std::vector<std::shared_ptr<const Task>> shown;  ///< in the last snapshot
    bool touched = false;
  };
  using Groups = std::map<TaskName, Group>;

  void touch(Groups::iterator group);

  Groups groups_;
  std::vector<Groups::iterator> touched_;
  /// The names that an origin has tasks under, with their number.
  std::map<const Origin*, std::unordered_map<const TaskName*, std::size_t>> names_;
};

}  // namespace viaduct::service
