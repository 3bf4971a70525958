#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "dns/zones/shared_records.h"
#include "dns/zones/zone.h"
#include "dns/zones/zones.h"
#include "service/snapshot.h"

namespace viaduct::dns::zones {

/// Keeps the records of `mesos` and its copy up with what is known of a Mesos cluster. What did not
/// change is not looked at, the masters apart, who are few.
class MesosZones {
 public:
  /// What is known.
  struct View {
    const service::Tasks& tasks;
    const service::MesosProcesses& processes;
    /// Whether agents that run tasks count although they are not known by themselves.
    bool agents_of_tasks;
  };

  /// @param records  of these zones; gets what has come and gone.
  /// @param rejected  gets what cannot be served.
  void update(const View& view, const ZoneOptions& options, SharedRecords& records,
              std::vector<base::Error>& rejected);

 private:
  void update_tasks(const View& view, const ZoneOptions& options, SharedRecords& records,
                    std::vector<base::Error>& rejected);
  void count_agents(const service::TaskRow& task, bool added);
  void update_processes(const View& view, const ZoneOptions& options, SharedRecords& records,
                        std::vector<base::Error>& rejected);
  void update_agents(const ZoneOptions& options, SharedRecords& records);
  void update_few(const View& view, const ZoneOptions& options, SharedRecords& records,
                  std::vector<base::Error>& rejected);

  service::Tasks tasks_;  ///< that the records are of
  service::MesosProcesses processes_;
  std::map<base::Address, std::size_t> agents_;  ///< of tasks; how many name each
  std::set<base::Address> touched_agents_;       ///< since update_agents()
  std::set<base::Address> shown_agents_;         ///< that `slave` has records of
  std::vector<Record> few_;                      ///< the masters' and the server's own
};

}  // namespace viaduct::dns::zones
