#include "dns/zones/task_zones.h"

#include <utility>

#include "dns/zones/dcos.h"
#include "dns/zones/mesos.h"
#include "dns/zones/record_changes.h"
#include "dns/zones/reverse.h"

namespace viaduct::dns::zones {
namespace {

BuiltRecords dcos_records(const service::TaskRow& task, const ZoneOptions& options) {
  BuiltRecords built;
  add_dcos_task(task, options, built);
  add_container_pointers(task, options, built);
  return built;
}

/// What Mesos says of its masters, the leading one's own words first; else the configured ones.
std::vector<Master> masters_of(const service::Snapshot& snapshot, const ZoneOptions& options) {
  std::vector<Master> masters;
  if (snapshot.master.known) masters = zones::masters_of(snapshot.master.processes);
  if (masters.empty()) masters = zones::masters_of(snapshot.processes);
  return masters.empty() ? zones::masters_of(options.masters) : masters;
}

}  // namespace

BuiltRecords task_records(const service::TaskRow& task, const ZoneOptions& options) {
  BuiltRecords built = dcos_records(task, options);
  add_mesos_task(task, options, built);
  for (const base::Address& address : task.agent) add_mesos_agent(address, options, built);
  return built;
}

void TaskZones::update_dcos(const service::Snapshot& snapshot, const ZoneOptions& options,
                            std::vector<base::Error>& rejected) {
  BuiltRecords masters;
  add_dcos_masters(masters_of(snapshot, options), options, masters);
  change_records(masters_, std::move(masters), records_, rejected);
  change_records(tasks_, snapshot.tasks, records_, rejected,
                 [&](const service::TaskRow& row) { return dcos_records(row, options); });
  tasks_ = snapshot.tasks;
}

void TaskZones::update_mesos(const service::Snapshot& snapshot, const ZoneOptions& options,
                             std::vector<base::Error>& rejected) {
  const service::MasterView& master = snapshot.master;
  if (options.mesos == MesosMode::local && snapshot.complete)
    mesos_.update({snapshot.tasks, snapshot.processes, true}, options, records_, rejected);
  // Before it is known its records come all the same, for they are many, and nobody is told of
  // them.
  if (options.mesos == MesosMode::master)
    mesos_.update({master.tasks, master.processes, false}, options, records_, rejected);
}

void TaskZones::update(const service::Snapshot& snapshot, const ZoneOptions& options,
                       TableWriter& writer, std::vector<base::Error>& rejected) {
  std::vector<ZoneHead> heads = mesos(snapshot, options);
  heads.push_back(dcos(snapshot, options));
  for (ReverseZone& zone : container_reverse(snapshot, options))
    heads.push_back(std::move(zone.head));
  std::vector<Name> apexes;
  for (const ZoneHead& head : heads) {
    if (writer.set_zone(head)) writer.set_name(head.apex, head.apex, {apex_ns(head)});
    apexes.push_back(head.apex);
  }
  if (snapshot.complete) update_dcos(snapshot, options, rejected);
  update_mesos(snapshot, options, rejected);
  records_.write(writer, apexes);
}

}  // namespace viaduct::dns::zones
