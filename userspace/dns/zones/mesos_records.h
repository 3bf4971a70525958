#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/address.h"
#include "dns/zones/masters.h"
#include "dns/zones/mesos_names.h"
#include "dns/zones/zone.h"
#include "service/mesos_row.h"
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
/// written, and made a label. A name of which no label is left has what C and SRV give. Names that
/// nobody can ask for are left out.
/// Source: facts on Mesos-DNS, 4.
void add_task(const service::TaskRow& task, const Name& domain, const MesosRules& rules,
              BuiltRecords& built);

/// Adds a framework's: `F.D` (its scheduler's addresses) and `_framework._tcp.F.D` (its port).
/// None if nothing is left of its name, or if it is not known where it runs.
void add_framework(const service::MesosRow& framework, const Name& domain, const MesosRules& rules,
                   BuiltRecords& built);

/// Adds an agent's: `slave.D` (its addresses) and `_slave._tcp.D` (its port).
void add_agent(const service::MesosRow& agent, const Name& domain, const MesosRules& rules,
               BuiltRecords& built);

/// Adds `leader.D` and `_leader._tcp|_udp.D` of those that lead, `master.D` and `master<i>.D` of
/// all.
void add_masters(std::span<const Master> masters, const Name& domain, const MesosRules& rules,
                 BuiltRecords& built);

}  // namespace viaduct::dns::zones
