#pragma once

#include <optional>
#include <span>
#include <string>

#include "dns/zones/masters.h"
#include "dns/zones/zone.h"
#include "service/task_row.h"

namespace viaduct::dns::zones {

/// "myapp-mygroup.marathon": a task's name, made one label, and its framework's.
/// @return absent: nothing is left of one of them.
std::optional<std::string> task_name(const service::TaskRow& task);

/// `dcos.thisdcos.directory`, also found under `dcos.thisdcos.global`. Not ready while the snapshot
/// is not complete.
ZoneHead dcos(const service::Snapshot& snapshot, const ZoneOptions& options);

/// Adds `<task>.<framework>.` before `agentip` (its agent's addresses), `containerip` (its own) and
/// `autoip` (its agent's if a port of it is mapped to the host's, or if it has none of its own;
/// else its own). Source: facts on dcos-net, 2.3.
void add_dcos_task(const service::TaskRow& task, const ZoneOptions& options, BuiltRecords& built);

/// Adds `leader` and `master`.
void add_dcos_masters(std::span<const Master> masters, const ZoneOptions& options,
                      BuiltRecords& built);

}  // namespace viaduct::dns::zones
