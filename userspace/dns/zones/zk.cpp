#include "dns/zones/zk.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace viaduct::dns::zones {

Zone zk(const service::Snapshot& snapshot, const ZoneOptions& options) {
  constexpr std::size_t kNames = 5;
  Zone zone = start_zone(constant("zk"), snapshot, options);
  for (const bool v6 : {false, true}) {
    std::vector<base::Address> family;
    std::copy_if(options.masters.all.begin(), options.masters.all.end(), std::back_inserter(family),
                 [&](const base::Address& address) { return address.is_v6() == v6; });
    if (family.empty()) continue;
    for (std::size_t i = 0; i < kNames; i++)
      zone.records.push_back(address_record(constant("zk-" + std::to_string(i + 1) + ".zk"),
                                            family[i % family.size()], options.ttl_s));
  }
  return zone;
}

}  // namespace viaduct::dns::zones
