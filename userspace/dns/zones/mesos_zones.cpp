#include "dns/zones/mesos_zones.h"

#include <memory>
#include <utility>

#include "dns/zones/masters.h"
#include "dns/zones/mesos.h"
#include "dns/zones/record_changes.h"

namespace viaduct::dns::zones {
void MesosZones::update(const View& view, const ZoneOptions& options, SharedRecords& records,
                        std::vector<base::Error>& rejected) {
  update_tasks(view, options, records, rejected);
  update_processes(view, options, records, rejected);
  update_agents(options, records);
  update_few(view, options, records, rejected);
}

void MesosZones::update_tasks(const View& view, const ZoneOptions& options, SharedRecords& records,
                              std::vector<base::Error>& rejected) {
  change_records(tasks_, view.tasks, records, rejected, [&](const service::TaskRow& row) {
    BuiltRecords built;
    add_mesos_task(row, options, built);
    return built;
  });
  if (view.agents_of_tasks) {
    using TaskPointer = std::shared_ptr<const service::Task>;
    service::Tasks::compare(tasks_, view.tasks,
                            [&](const TaskPointer* old, const TaskPointer* now) {
                              if (now) count_agents((*now)->row, true);
                              if (old) count_agents((*old)->row, false);
                            });
  }
  tasks_ = view.tasks;
}

void MesosZones::count_agents(const service::TaskRow& task, bool added) {
  for (const base::Address& address : task.agent) {
    if (added)
      agents_[address]++;
    else if (--agents_[address] == 0)
      agents_.erase(address);
    touched_agents_.insert(address);
  }
}

void MesosZones::update_processes(const View& view, const ZoneOptions& options,
                                  SharedRecords& records, std::vector<base::Error>& rejected) {
  change_records(processes_, view.processes, records, rejected, [&](const service::MesosRow& row) {
    BuiltRecords built;
    add_mesos_process(row, options, built);
    return built;
  });
  processes_ = view.processes;
}

void MesosZones::update_agents(const ZoneOptions& options, SharedRecords& records) {
  for (const base::Address& address : std::exchange(touched_agents_, {})) {
    const bool wanted = agents_.contains(address);
    if (wanted == shown_agents_.contains(address)) continue;
    BuiltRecords built;
    add_mesos_agent(address, options, built);
    for (const Record& record : built.records)
      wanted ? records.add(record) : records.remove(record);
    if (wanted)
      shown_agents_.insert(address);
    else
      shown_agents_.erase(address);
  }
}

void MesosZones::update_few(const View& view, const ZoneOptions& options, SharedRecords& records,
                            std::vector<base::Error>& rejected) {
  std::vector<Master> masters = masters_of(view.processes);
  if (masters.empty()) masters = masters_of(options.masters);
  BuiltRecords built;
  add_mesos_masters(masters, options, built);
  add_mesos_server(options, built);
  change_records(few_, std::move(built), records, rejected);
}

}  // namespace viaduct::dns::zones
