#include "dns/zones/mesos.h"

#include <algorithm>
#include <utility>

#include "dns/zones/mesos_records.h"

namespace viaduct::dns::zones {
namespace {

std::uint32_t ttl_of(const ZoneOptions& options) {
  return options.mesos_ttl_s.value_or(options.ttl_s);
}

/// A zone's apex and how its records are made.
struct Domain {
  const Name& apex;
  MesosRules rules;
};

const Name& copied_apex() {
  static const Name copied = constant("mesos.thisdcos.directory");
  return copied;
}

/// The zone and its copy; none if it is off.
std::vector<Domain> domains(const ZoneOptions& options) {
  if (options.mesos == MesosMode::off) return {};
  MesosRules rules;
  rules.labels = options.mesos_labels;
  rules.ip_sources = options.ip_sources;
  rules.srv_weight = options.mesos_srv_weight;
  rules.ttl_s = ttl_of(options);
  std::vector<Domain> both = {{options.mesos_domain, rules}, {copied_apex(), rules}};
  both[1].rules.srv_priority = 1;
  return both;
}

/// "ns1.mesos" unless another one is configured; absent: it would be too long.
Name server_name(const ZoneOptions& options) {
  if (options.mesos_soa.primary) return *options.mesos_soa.primary;
  const auto own = constant("ns1").under(options.mesos_domain);
  return own ? *own : options.mesos_domain;
}

Soa soa_of(const ZoneOptions& options, Soa soa) {
  const MesosSoa& wanted = options.mesos_soa;
  soa.primary = server_name(options);
  const auto root = constant("root").under(soa.primary);
  soa.mailbox = wanted.mailbox.value_or(root ? *root : soa.primary);
  soa.refresh_s = wanted.refresh_s;
  soa.retry_s = wanted.retry_s;
  soa.expire_s = wanted.expire_s;
  return soa;
}

/// The addresses that others find this server at.
std::vector<base::Address> server_addresses(const ZoneOptions& options) {
  std::vector<base::Address> found;
  for (const base::Address& server : options.servers) {
    if (!server.is_unspecified()) {
      found.push_back(server);
      continue;
    }
    for (const base::Address& own : options.node)
      if (own.is_v4() == server.is_v4()) found.push_back(own);
  }
  const auto is_loopback = [](const base::Address& address) { return address.is_loopback(); };
  if (!std::all_of(found.begin(), found.end(), is_loopback)) std::erase_if(found, is_loopback);
  return found;
}

}  // namespace

std::vector<ZoneHead> mesos(const service::Snapshot& snapshot, const ZoneOptions& options) {
  std::vector<ZoneHead> heads;
  for (const Domain& domain : domains(options)) {
    ZoneHead& head = heads.emplace_back(zone_head(domain.apex, snapshot, options));
    head.soa.ttl_s = ttl_of(options);
    head.ready = options.mesos == MesosMode::master ? snapshot.master.known : snapshot.complete;
  }
  if (heads.empty()) return heads;
  heads[0].soa = soa_of(options, heads[0].soa);
  heads[0].drops_stars = true;
  heads[0].recursion = options.mesos == MesosMode::master && options.mesos_recursion;
  heads[1].aliases = {constant("mesos.thisdcos.global")};
  return heads;
}

void add_mesos_task(const service::TaskRow& task, const ZoneOptions& options, BuiltRecords& built) {
  for (const auto& [apex, rules] : domains(options)) add_task(task, apex, rules, built);
}

void add_mesos_agent(const base::Address& address, const ZoneOptions& options,
                     BuiltRecords& built) {
  service::MesosRow agent;
  agent.role = service::MesosRole::agent;
  agent.addresses = {address};
  add_mesos_process(agent, options, built);
}

void add_mesos_process(const service::MesosRow& process, const ZoneOptions& options,
                       BuiltRecords& built) {
  for (const auto& [apex, rules] : domains(options)) {
    if (process.role == service::MesosRole::framework) add_framework(process, apex, rules, built);
    if (process.role == service::MesosRole::agent) add_agent(process, apex, rules, built);
  }
}

void add_mesos_masters(std::span<const Master> masters, const ZoneOptions& options,
                       BuiltRecords& built) {
  for (const auto& [apex, rules] : domains(options)) add_masters(masters, apex, rules, built);
}

void add_mesos_server(const ZoneOptions& options, BuiltRecords& built) {
  if (options.mesos == MesosMode::off) return;
  const Name name = server_name(options);
  if (!name.is_within(options.mesos_domain) || name.size() <= options.mesos_domain.size()) return;
  for (const base::Address& address : server_addresses(options))
    built.records.push_back(address_record(name, address, ttl_of(options)));
}

}  // namespace viaduct::dns::zones
