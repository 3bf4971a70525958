#include "service/process_merge.h"

#include <algorithm>
#include <utility>

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
    if (!merged.empty() && merged.back()->node == owned.shown->node) continue;
    merged.push_back(owned.shown);
    if (!keep_dead || !owned.shown->row.leader) continue;
    // Who leads now, others say.
    MesosProcess former = *owned.shown;
    former.row.leader = false;
    merged.back() = std::make_shared<const MesosProcess>(std::move(former));
  }
  return merged;
}

}  // namespace viaduct::service
