#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "dns/zones/mesos_names.h"
#include "dns/zones/zone.h"
#include "service/task_row.h"

namespace viaduct::dns::zones {

/// How the records of a Mesos domain are made.
struct MesosRules {
  LabelRule labels = LabelRule::rfc1123;
  std::vector<IpSource> ip_sources = {IpSource::netinfo, IpSource::mesos, IpSource::host};
  std::uint16_t srv_priority = 0;
  std::uint16_t srv_weight = 1;
  std::uint32_t ttl_s = 5;
};

/// Adds the records of one running task in the domain D. With N its label, F its
/// framework and C its canonical name:
/// `N.F.D`, `C.F.D` (its addresses), `N.F.slave.D`, `C.F.slave.D` (its agent's),
/// `_N._tcp|_udp.F.slave.D` (host ports; without a discovery name also without `slave`), and of
/// discovery ports `_N._protocol.F.D` and `_P._N._protocol.F.D`. A discovery name counts twice: as
/// written, and made a label. Names that nobody can ask for are left out.
/// Source: facts on Mesos-DNS, 4.
void add_task(const service::TaskRow& task, const Name& domain, const MesosRules& rules,
              BuiltRecords& built);

/// Adds `leader.D`, `master.D`, `master<i>.D` and `_leader._tcp|_udp.D`.
/// @param masters  in their order, which gives them their numbers.
void add_masters(const Masters& masters, const Name& domain, const MesosRules& rules,
                 BuiltRecords& built);

}  // namespace viaduct::dns::zones
