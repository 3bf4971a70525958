#include "dns/zones/task_zones.h"

#include <iterator>
#include <utility>

#include "dns/zones/dcos.h"
#include "dns/zones/mesos.h"
#include "dns/zones/reverse.h"

namespace viaduct::dns::zones {
namespace {

void append(std::vector<base::Error>& to, std::vector<base::Error> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

BuiltRecords task_records(const service::TaskRow& task, const ZoneOptions& options) {
  BuiltRecords built;
  add_dcos_task(task, options, built);
  add_mesos_task(task, options, built);
  add_container_pointers(task, options, built);
  return built;
}

void TaskZones::take_masters(const ZoneOptions& options, std::vector<base::Error>& rejected) {
  BuiltRecords built;
  add_dcos_masters(options, built);
  add_mesos_masters(options, built);
  append(rejected, std::move(built.rejected));
  if (built.records == masters_) return;
  for (const Record& record : built.records) records_.add(record);
  for (const Record& record : masters_) records_.remove(record);
  masters_ = std::move(built.records);
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
  if (!snapshot.complete) return;
  take_masters(options, rejected);
  using TaskPointer = std::shared_ptr<const service::Task>;
  service::Tasks::compare(
      tasks_, snapshot.tasks, [&](const TaskPointer* before, const TaskPointer* after) {
        if (after) {
          BuiltRecords built = task_records((*after)->row, options);
          for (const Record& record : built.records) records_.add(record);
          append(rejected, std::move(built.rejected));
        }
        if (before)
          for (const Record& record : task_records((*before)->row, options).records)
            records_.remove(record);
      });
  tasks_ = snapshot.tasks;
  records_.write(writer, apexes);
}

}  // namespace viaduct::dns::zones
