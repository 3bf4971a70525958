#include "service/task_merge.h"

#include <algorithm>
#include <cassert>
#include <string_view>
#include <tuple>

namespace viaduct::service {
namespace {

/// What is unique within a name.
std::pair<std::string_view, std::string_view> place_of(const Task& task) {
  return {task.node, task.row.id};
}

}  // namespace

bool operator<(const OwnedTask& left, const OwnedTask& right) {
  return std::tie(left.origin->node, left.origin->source, left.task->row) <
         std::tie(right.origin->node, right.origin->source, right.task->row);
}

TaskName name_of(const TaskRow& row) { return {row.framework, row.label()}; }

std::vector<std::shared_ptr<const Task>> merge_tasks(std::span<const OwnedTask> tasks) {
  const auto dead = [](const OwnedTask& owned) { return owned.origin->mask == Mask::dead; };
  const bool all_dead = std::all_of(tasks.begin(), tasks.end(), dead);
  std::map<std::pair<std::string_view, std::string_view>, std::shared_ptr<const Task>> chosen;
  for (const OwnedTask& owned : tasks)
    if (all_dead || !dead(owned)) chosen.try_emplace(place_of(*owned.task), owned.task);
  std::vector<std::shared_ptr<const Task>> merged;
  merged.reserve(chosen.size());
  for (auto& [key, task] : chosen) merged.push_back(task);
  return merged;
}

void TaskMerge::add(const Origin& origin, TaskRow row) {
  const auto group = groups_.try_emplace(name_of(row)).first;
  names_[&origin][&group->first]++;
  OwnedTask owned{&origin, std::make_shared<const Task>(Task{std::move(row), origin.node})};
  auto& tasks = group->second.tasks;
  tasks.insert(std::lower_bound(tasks.begin(), tasks.end(), owned), std::move(owned));
  touch(group);
}

void TaskMerge::remove(const Origin& origin, const TaskRow& row) {
  const auto group = groups_.find(name_of(row));
  assert(group != groups_.end());
  if (group == groups_.end()) return;
  auto& tasks = group->second.tasks;
  const OwnedTask wanted{&origin, std::make_shared<const Task>(Task{row, origin.node})};
  const auto place = std::lower_bound(tasks.begin(), tasks.end(), wanted);
  const bool found = place != tasks.end() && place->origin == &origin && place->task->row == row;
  assert(found);
  if (!found) return;
  tasks.erase(place);
  const auto names = names_.find(&origin);
  const auto count = names->second.find(&group->first);
  if (--count->second == 0) names->second.erase(count);
  if (names->second.empty()) names_.erase(names);
  touch(group);
}

void TaskMerge::touch_all(const Origin& origin) {
  const auto names = names_.find(&origin);
  if (names == names_.end()) return;
  for (const auto& [name, count] : names->second) touch(groups_.find(*name));
}

void TaskMerge::touch(Groups::iterator group) {
  if (!std::exchange(group->second.touched, true)) touched_.push_back(group);
}

bool TaskMerge::show(Tasks& tasks) {
  bool any = false;
  Tasks::Editor editor(std::move(tasks));
  for (const Groups::iterator touched : std::exchange(touched_, {})) {
    Group& group = touched->second;
    group.touched = false;
    auto merged = merge_tasks(group.tasks);
    auto old = group.shown.begin();
    for (auto& task : merged) {
      for (; old != group.shown.end() && place_of(**old) < place_of(*task); ++old, any = true)
        editor.remove(TaskKey{}(*old));
      const bool known = old != group.shown.end() && place_of(**old) == place_of(*task);
      if (known && **old == *task) {
        task = *old;  // what came back as it was stays the object that it was
      } else {
        editor.put(task);
        any = true;
      }
      if (known) ++old;
    }
    for (; old != group.shown.end(); ++old, any = true) editor.remove(TaskKey{}(*old));
    group.shown = std::move(merged);
    if (group.tasks.empty()) groups_.erase(touched);
  }
  tasks = editor.finish();
  return any;
}

}  // namespace viaduct::service
