#include "dns/zones/masters.h"

#include <algorithm>
#include <iterator>

namespace viaduct::dns::zones {

std::vector<Master> masters_of(const service::MesosProcesses& processes) {
  std::vector<Master> masters;
  for (auto at = processes.lower_bound({service::MesosRole::master, "", ""});
       at != processes.end() && (*at)->row.role == service::MesosRole::master; ++at) {
    const service::MesosRow& row = (*at)->row;
    masters.push_back(
        {row.addresses, row.port == 0 ? kMasterPort : row.port, row.order, row.leader});
  }
  return masters;
}

std::vector<Master> masters_of(const Masters& configured) {
  std::vector<Master> masters;
  for (const base::Address& address : configured.all)
    masters.push_back({{address},
                       kMasterPort,
                       static_cast<std::uint16_t>(masters.size()),
                       configured.leader == address});
  if (configured.leader && std::none_of(masters.begin(), masters.end(),
                                        [](const Master& master) { return master.leader; }))
    masters.push_back(
        {{*configured.leader}, kMasterPort, static_cast<std::uint16_t>(masters.size()), true});
  return masters;
}

std::vector<Master> leaders_of(std::span<const Master> masters) {
  std::vector<Master> leaders;
  std::copy_if(masters.begin(), masters.end(), std::back_inserter(leaders),
               [](const Master& master) { return master.leader; });
  return leaders.empty() ? std::vector<Master>(masters.begin(), masters.end()) : leaders;
}

}  // namespace viaduct::dns::zones
