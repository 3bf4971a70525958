#include "dns/zones/local.h"

#include <algorithm>
#include <utility>

namespace viaduct::dns::zones {
namespace {

const base::Address kLoopback4 = base::Address::v4({127, 0, 0, 1});

void add(Zone& zone, const Name& owner, const std::vector<base::Address>& addresses,
         const ZoneOptions& options) {
  for (const base::Address& address : addresses)
    zone.records.push_back(address_record(owner, address, options.ttl_s));
}

}  // namespace

std::vector<Zone> local(const service::Snapshot& snapshot, const ZoneOptions& options) {
  const auto start = [&](std::string_view apex) {
    return start_zone(constant(apex), snapshot, options);
  };
  Zone spartan = start("spartan");
  add(spartan, constant("ready.spartan"), {kLoopback4}, options);
  if (!options.servers.empty())
    add(spartan, constant("ns.spartan"), {options.servers.front()}, options);
  Zone localhost = start("localhost");
  add(localhost, localhost.apex, {kLoopback4, *base::Address::parse("::1")}, options);
  Zone thisnode = start("thisnode.thisdcos.directory");
  thisnode.aliases = {constant("thisnode.thisdcos.global")};
  add(thisnode, thisnode.apex, options.node, options);
  std::vector<Zone> zones;
  for (Zone* zone : {&spartan, &localhost, &thisnode}) zones.push_back(std::move(*zone));
  return zones;
}

}  // namespace viaduct::dns::zones
