#pragma once

#include <vector>

#include "base/result.h"
#include "dns/table_writer.h"
#include "dns/zones/mesos_zones.h"
#include "dns/zones/shared_records.h"
#include "dns/zones/zone.h"
#include "dns/zones/zones.h"
#include "service/snapshot.h"

namespace viaduct::dns::zones {

/// All records that a task has, in all zones.
BuiltRecords task_records(const service::TaskRow& task, const ZoneOptions& options);

/// Keeps the zones that have names of tasks up with snapshots: `dcos` and the reverse zones of
/// containers of the tasks that nodes publish, `mesos` of those or of the master's. Tasks that did
/// not change are not looked at.
class TaskZones {
 public:
  /// @param seed  of SharedRecords.
  explicit TaskZones(std::uint64_t seed) : records_(seed) {}

  void update(const service::Snapshot& snapshot, const ZoneOptions& options, TableWriter& writer,
              std::vector<base::Error>& rejected);

 private:
  void update_dcos(const service::Snapshot& snapshot, const ZoneOptions& options,
                   std::vector<base::Error>& rejected);
  void update_mesos(const service::Snapshot& snapshot, const ZoneOptions& options,
                    std::vector<base::Error>& rejected);

  service::Tasks tasks_;         ///< that `dcos` has
  std::vector<Record> masters_;  ///< the same of the masters' records
  MesosZones mesos_;
  SharedRecords records_;
};

}  // namespace viaduct::dns::zones
