#include "dns/zones/l4lb.h"

#include <utility>

#include "service/vip.h"

namespace viaduct::dns::zones {

BuiltZone l4lb(const service::Snapshot& snapshot, const ZoneOptions& options) {
  BuiltZone built{start_zone(constant(service::kL4lbZone), snapshot, options), {}};
  Zone& zone = built.zone;
  for (const char* alias :
       {"l4lb.thisdcos.global", "dclb.thisdcos.directory", "dclb.thisdcos.global"})
    zone.aliases.push_back(constant(alias));
  zone.ready = snapshot.complete;
  if (!zone.ready) return built;
  for (const service::NamedVip& vip : snapshot.names) {
    base::Result<Name> prefix = Name::parse(vip.name);
    base::Result<Name> owner = prefix ? prefix->under(zone.apex) : prefix;
    if (!owner) {
      built.rejected.push_back(owner.error());
      continue;
    }
    for (const base::Address& address : vip.addresses)
      zone.records.push_back(address_record(*owner, address, options.ttl_s));
  }
  return built;
}

}  // namespace viaduct::dns::zones
