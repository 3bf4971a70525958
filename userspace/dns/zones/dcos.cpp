#include "dns/zones/dcos.h"

#include <utility>

#include "dns/zones/mesos_names.h"
#include "service/name.h"

namespace viaduct::dns::zones {
namespace {

const Name& apex() {
  static const Name name = constant(kDcosZone);
  return name;
}

void add(const std::string& prefix, const std::vector<base::Address>& addresses,
         const ZoneOptions& options, BuiltRecords& built) {
  const auto parsed = Name::parse(prefix);
  const auto owner = parsed ? parsed->under(apex()) : parsed;
  if (!owner) return built.rejected.push_back(owner.error());
  for (const base::Address& address : addresses)
    built.records.push_back(address_record(*owner, address, options.ttl_s));
}

}  // namespace

std::optional<std::string> task_name(const service::TaskRow& task) {
  const std::string label = service::sanitise_label(task.label());
  const std::string framework = service::sanitise_name(task.framework);
  if (label.empty() || framework.empty()) return std::nullopt;
  return label + '.' + framework;
}

ZoneHead dcos(const service::Snapshot& snapshot, const ZoneOptions& options) {
  ZoneHead head = zone_head(apex(), snapshot, options);
  head.aliases = {constant("dcos.thisdcos.global")};
  head.ready = snapshot.complete;
  return head;
}

void add_dcos_task(const service::TaskRow& task, const ZoneOptions& options, BuiltRecords& built) {
  const auto name = task_name(task);
  if (!name) return;
  const IpSource netinfo[] = {IpSource::netinfo};
  const auto own = mesos_addresses(task, netinfo);
  add(*name + ".agentip", task.agent, options, built);
  add(*name + ".containerip", own, options, built);
  add(*name + ".autoip", task.host_port || own.empty() ? task.agent : own, options, built);
}

void add_dcos_masters(std::span<const Master> masters, const ZoneOptions& options,
                      BuiltRecords& built) {
  for (const Master& leader : leaders_of(masters)) add("leader", leader.addresses, options, built);
  for (const Master& master : masters) add("master", master.addresses, options, built);
}

}  // namespace viaduct::dns::zones
