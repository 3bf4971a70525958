#include "dns/zones/l4lb.h"

#include <utility>

#include "service/vip.h"

namespace viaduct::dns::zones {
namespace {

constexpr std::uint32_t kNsTtlSeconds = 3600;

/// @param text  a constant that is a valid name.
Name constant(std::string_view text) { return Name::parse(text).value(); }

}  // namespace

BuiltZone l4lb(const service::Snapshot& snapshot, const ZoneOptions& options) {
  BuiltZone built;
  Zone& zone = built.zone;
  zone.apex = constant(service::kL4lbZone);
  for (const char* alias :
       {"l4lb.thisdcos.global", "dclb.thisdcos.directory", "dclb.thisdcos.global"})
    zone.aliases.push_back(constant(alias));
  zone.soa.primary = constant("ns.spartan");
  zone.soa.mailbox = constant("support.mesosphere.com");
  zone.soa.serial = static_cast<std::uint32_t>(snapshot.revision);
  zone.soa.minimum_s = options.negative_ttl_s;
  zone.soa.ttl_s = options.ttl_s;
  zone.ready = snapshot.complete;
  if (!zone.ready) return built;
  zone.records.push_back(ns_record(zone.apex, zone.soa.primary, kNsTtlSeconds));
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
