#include "service/task_merge.h"

#include <algorithm>
#include <map>

namespace viaduct::service {

TaskName name_of(const TaskRow& row) { return {row.framework, row.label()}; }

std::vector<std::shared_ptr<const Task>> merge_tasks(std::span<const OwnedTask> tasks) {
  const auto dead = [](const OwnedTask& owned) { return owned.origin->mask == Mask::dead; };
  const bool all_dead = std::all_of(tasks.begin(), tasks.end(), dead);
  std::map<decltype(TaskKind::place_of({})), std::shared_ptr<const Task>> chosen;
  for (const OwnedTask& owned : tasks)
    if (all_dead || !dead(owned)) chosen.try_emplace(TaskKind::place_of(*owned.shown), owned.shown);
  std::vector<std::shared_ptr<const Task>> merged;
  merged.reserve(chosen.size());
  for (auto& [key, task] : chosen) merged.push_back(task);
  return merged;
}

}  // namespace viaduct::service
