#pragma once

#include <span>
#include <vector>

#include "base/address.h"
#include "dns/zones/masters.h"
#include "dns/zones/zone.h"
#include "service/mesos_row.h"
#include "service/task_row.h"

namespace viaduct::dns::zones {

/// `mesos`, or what it is called here, as Mesos-DNS has it, and its copy
/// `mesos.thisdcos.directory`, which is also found under `mesos.thisdcos.global` and whose SRV
/// records have the priority 1. None if the zone is off. Not ready while what it is made of is not
/// known: the snapshot as a whole, or what the master says. NXDOMAIN would be kept for a task that
/// is about to be known.
std::vector<ZoneHead> mesos(const service::Snapshot& snapshot, const ZoneOptions& options);

// Each adds what it names to both zones, if they are not off.

/// A task's records, its agent's address under `slave` apart.
void add_mesos_task(const service::TaskRow& task, const ZoneOptions& options, BuiltRecords& built);
/// `slave.mesos`, of an agent that is only known by its tasks.
void add_mesos_agent(const base::Address& address, const ZoneOptions& options, BuiltRecords& built);
/// A framework's or an agent's records; none of a master.
void add_mesos_process(const service::MesosRow& process, const ZoneOptions& options,
                       BuiltRecords& built);
void add_mesos_masters(std::span<const Master> masters, const ZoneOptions& options,
                       BuiltRecords& built);

/// Adds the address of the server that the zone's SOA and NS name, if it lies below the zone's
/// apex: this server's own, loopback only if it has no other; the node's for one that stands for
/// all. Not in the copy, which names another one.
void add_mesos_server(const ZoneOptions& options, BuiltRecords& built);

}  // namespace viaduct::dns::zones
