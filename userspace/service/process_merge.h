#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/row_merge.h"
#include "service/snapshot.h"

namespace viaduct::service {

using OwnedProcess = Owned<MesosProcess>;

/// What nodes say of one process of Mesos, as DNS knows it. What a dead node says does not count,
/// unless it is all that is known of a framework or a master, which then leads no more; a suspect's
/// word counts. Of several rows of a node the first counts.
/// @param processes  of one role and id, sorted.
/// @return in the order of nodes, none twice.
std::vector<std::shared_ptr<const MesosProcess>> merge_processes(
    std::span<const OwnedProcess> processes);

/// Processes of Mesos by role and id.
struct ProcessKind {
  using Row = MesosRow;
  using Shown = MesosProcess;
  using Group = std::pair<MesosRole, std::string>;
  using List = MesosProcesses;
  using Key = MesosProcessKey;

  static Group group_of(const Row& row) { return {row.role, row.id}; }
  static std::string_view place_of(const MesosProcess& process) { return process.node; }
  static std::vector<std::shared_ptr<const MesosProcess>> merge(
      std::span<const OwnedProcess> processes) {
    return merge_processes(processes);
  }
};
using ProcessMerge = RowMerge<ProcessKind>;

}  // namespace viaduct::service
