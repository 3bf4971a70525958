#include "dns/zones/mesos.h"

#include <utility>

#include "dns/zones/mesos_records.h"

namespace viaduct::dns::zones {
namespace {

const Name& apex(bool copy) {
  static const Name zone = constant("mesos");
  static const Name copied = constant("mesos.thisdcos.directory");
  return copy ? copied : zone;
}

MesosRules rules_of(const ZoneOptions& options, bool copy) {
  MesosRules rules;
  rules.ip_sources = options.ip_sources;
  rules.srv_priority = copy ? 1 : 0;
  rules.ttl_s = options.ttl_s;
  return rules;
}

}  // namespace

std::vector<ZoneHead> mesos(const service::Snapshot& snapshot, const ZoneOptions& options) {
  if (options.mesos == MesosMode::off) return {};
  std::vector<ZoneHead> heads = {zone_head(apex(false), snapshot, options),
                                 zone_head(apex(true), snapshot, options)};
  heads[1].aliases = {constant("mesos.thisdcos.global")};
  for (ZoneHead& head : heads) head.ready = snapshot.complete;
  return heads;
}

void add_mesos_task(const service::TaskRow& task, const ZoneOptions& options, BuiltRecords& built) {
  if (options.mesos == MesosMode::off) return;
  for (const bool copy : {false, true}) {
    add_task(task, apex(copy), rules_of(options, copy), built);
    const Name slave = constant("slave").under(apex(copy)).value();
    for (const base::Address& address : task.agent)
      built.records.push_back(address_record(slave, address, options.ttl_s));
  }
}

void add_mesos_masters(const ZoneOptions& options, BuiltRecords& built) {
  if (options.mesos == MesosMode::off) return;
  for (const bool copy : {false, true})
    add_masters(options.masters, apex(copy), rules_of(options, copy), built);
}

}  // namespace viaduct::dns::zones
