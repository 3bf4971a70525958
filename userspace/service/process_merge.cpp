#include "service/process_merge.h"

#include <algorithm>

namespace viaduct::service {

std::vector<std::shared_ptr<const MesosProcess>> merge_processes(
    std::span<const OwnedProcess> processes) {
  const auto dead = [](const OwnedProcess& owned) { return owned.origin->mask == Mask::dead; };
  // A dead node's agent is dead as well: nobody else speaks of it.
  const bool keep_dead = !processes.empty() &&
                         processes.front().shown->row.role != MesosRole::agent &&
                         std::all_of(processes.begin(), processes.end(), dead);
  std::vector<std::shared_ptr<const MesosProcess>> merged;
  for (const OwnedProcess& owned : processes) {
    if (dead(owned) && !keep_dead) continue;
    if (merged.empty() || merged.back()->node != owned.shown->node) merged.push_back(owned.shown);
  }
  return merged;
}

}  // namespace viaduct::service
