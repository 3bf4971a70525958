#include "dns/zones/zone.h"

#include <utility>

namespace viaduct::dns::zones {
namespace {

constexpr std::uint32_t kNsTtlSeconds = 3600;

}  // namespace

Name constant(std::string_view text) { return Name::parse(text).value(); }

ZoneHead zone_head(Name apex, const service::Snapshot& snapshot, const ZoneOptions& options) {
  ZoneHead head;
  head.apex = std::move(apex);
  head.soa.primary = constant("ns.spartan");
  head.soa.mailbox = constant("support.mesosphere.com");
  head.soa.serial = static_cast<std::uint32_t>(snapshot.revision);
  head.soa.minimum_s = options.negative_ttl_s;
  head.soa.ttl_s = options.ttl_s;
  return head;
}

Record apex_ns(const ZoneHead& head) {
  return ns_record(head.apex, head.soa.primary, kNsTtlSeconds);
}

Zone start_zone(Name apex, const service::Snapshot& snapshot, const ZoneOptions& options) {
  Zone zone{zone_head(std::move(apex), snapshot, options), {}};
  zone.records.push_back(apex_ns(zone));
  return zone;
}

}  // namespace viaduct::dns::zones
