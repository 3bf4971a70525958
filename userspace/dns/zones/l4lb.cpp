#include "dns/zones/l4lb.h"

#include <algorithm>
#include <string>

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

std::optional<std::string> l4lb_prefix(const Name& name) {
  static const Name apex = constant(service::kL4lbZone);
  if (!name.is_within(apex)) return std::nullopt;
  std::string text = name.to_text();
  const std::size_t zone = apex.to_text().size() + 1;  // with the dot before it
  text.resize(text.size() - std::min(text.size(), zone));
  return text;
}

std::vector<Record> l4lb_records(const service::NamedVip& vip, const Name& owner,
                                 const ZoneOptions& options) {
  std::vector<Record> records;
  for (const base::Address& address : vip.addresses)
    records.push_back(address_record(owner, address, options.ttl_s));
  return records;
}

base::Result<Record> l4lb_port(const service::Service& service, const ZoneOptions& options) {
  constexpr std::uint16_t kWeight = 1;
  const auto target = l4lb_name({service.name, {}});
  if (!target) return target.error();
  const auto owner = constant('_' + std::to_string(service.key.port) + "._" +
                              std::string(base::to_string(service.key.protocol)))
                         .under(*target);
  if (!owner) return owner.error();
  return srv_record(*owner, {0, kWeight, service.key.port, *target}, options.ttl_s);
}

}  // namespace viaduct::dns::zones
