#include "mesos/master_rows.h"

#include <set>
#include <string>
#include <utility>

#include "mesos/limits.h"
#include "service/task_row.h"

namespace viaduct::mesos {

std::vector<service::MesosRow> master_rows(const std::vector<base::Endpoint>& all,
                                           const std::optional<base::Endpoint>& leader,
                                           std::vector<service::RejectedRow>& rejected) {
  std::vector<service::MesosRow> rows;
  std::set<base::Address> seen;
  const auto add = [&](base::Endpoint master) {
    if (!seen.insert(master.address).second) return;
    const bool leads = leader && leader->address == master.address;
    if (leads) master.port = leader->port;
    const std::string id = master.to_string();
    if (rows.size() == kMaxClusterMasters)
      return rejected.push_back(
          {"master " + id,
           "there are more than " + std::to_string(kMaxClusterMasters) + " masters"});
    if (!service::is_unicast(master.address))
      return rejected.push_back({"master " + id, "its address is none that a machine can have"});
    service::MesosRow row;
    row.role = service::MesosRole::master;
    row.id = id;
    row.addresses = {master.address};
    row.port = master.port;
    row.order = static_cast<std::uint16_t>(rows.size());
    row.leader = leads;
    rows.push_back(std::move(row));
  };
  // The leader's address at another port gets no number of its own, as in Mesos-DNS.
  for (const base::Endpoint& master : all)
    if (!leader || leader->address != master.address || *leader == master) add(master);
  if (leader) add(*leader);
  return rows;
}

}  // namespace viaduct::mesos
