#include "dns/zones/zone.h"

#include <utility>

namespace viaduct::dns::zones {
namespace {

constexpr std::uint32_t kNsTtlSeconds = 3600;

}  // namespace

Name constant(std::string_view text) { return Name::parse(text).value(); }

Zone start_zone(Name apex, const service::Snapshot& snapshot, const ZoneOptions& options) {
  Zone zone;
  zone.apex = std::move(apex);
  zone.soa.primary = constant("ns.spartan");
  zone.soa.mailbox = constant("support.mesosphere.com");
  zone.soa.serial = static_cast<std::uint32_t>(snapshot.revision);
  zone.soa.minimum_s = options.negative_ttl_s;
  zone.soa.ttl_s = options.ttl_s;
  zone.records.push_back(ns_record(zone.apex, zone.soa.primary, kNsTtlSeconds));
  return zone;
}

}  // namespace viaduct::dns::zones
