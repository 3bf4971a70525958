#pragma once

#include <vector>

#include "dns/zones/zone.h"
#include "service/task_row.h"

namespace viaduct::dns::zones {

/// `mesos` as Mesos-DNS has it, of the tasks that nodes publish, and its copy
/// `mesos.thisdcos.directory`, which is also found under `mesos.thisdcos.global` and whose SRV
/// records have the priority 1. None if the zone is off. Not ready while the snapshot is not
/// complete: NXDOMAIN would be kept for a task that is about to be known.
std::vector<ZoneHead> mesos(const service::Snapshot& snapshot, const ZoneOptions& options);

/// Adds a task's records in both. Of agents only those are known that run a task: `slave.mesos` has
/// their addresses, and there is no `_slave._tcp`. Nothing is known of where schedulers run.
void add_mesos_task(const service::TaskRow& task, const ZoneOptions& options, BuiltRecords& built);

/// The same for the masters.
void add_mesos_masters(const ZoneOptions& options, BuiltRecords& built);

}  // namespace viaduct::dns::zones
