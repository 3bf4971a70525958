#include "dns/zones/l4lb.h"

#include "service/vip.h"

namespace viaduct::dns::zones {

ZoneHead l4lb(const service::Snapshot& snapshot, const ZoneOptions& options) {
  ZoneHead head = zone_head(constant(service::kL4lbZone), snapshot, options);
  for (const char* alias :
       {"l4lb.thisdcos.global", "dclb.thisdcos.directory", "dclb.thisdcos.global"})
    head.aliases.push_back(constant(alias));
  head.ready = snapshot.complete;
  return head;
}

base::Result<Name> l4lb_name(const service::NamedVip& vip) {
  static const Name apex = constant(service::kL4lbZone);
  const base::Result<Name> prefix = Name::parse(vip.name);
  return prefix ? prefix->under(apex) : prefix;
}

std::vector<Record> l4lb_records(const service::NamedVip& vip, const Name& owner,
                                 const ZoneOptions& options) {
  std::vector<Record> records;
  for (const base::Address& address : vip.addresses)
    records.push_back(address_record(owner, address, options.ttl_s));
  return records;
}

}  // namespace viaduct::dns::zones
