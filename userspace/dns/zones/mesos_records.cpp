#include "dns/zones/mesos_records.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/errors.h"

namespace viaduct::dns::zones {
namespace {

/// Adds records whose names are text before the apex.
class Adder {
 public:
  Adder(const Name& domain, const MesosRules& rules, BuiltRecords& built)
      : domain_(domain), rules_(rules), built_(built) {}

  /// A name that is too long is told; one that no query can have is not.
  void addresses(const std::string& name, const std::vector<base::Address>& addresses) {
    const auto owner = full(name);
    if (!owner) {
      if (owner.error().code == base::Errc::too_large) built_.rejected.push_back(owner.error());
      return;
    }
    for (const base::Address& address : addresses)
      built_.records.push_back(address_record(*owner, address, rules_.ttl_s));
  }

  void srv(const std::string& name, const std::string& target, std::uint16_t port) {
    const auto owner = full(name);
    const auto host = full(target);
    if (!owner || !host) return;  // the target's own records say why
    built_.records.push_back(
        srv_record(*owner, {rules_.srv_priority, rules_.srv_weight, port, *host}, rules_.ttl_s));
  }

 private:
  base::Result<Name> full(const std::string& name) const {
    base::Result<Name> prefix = Name::parse(name);
    return prefix ? prefix->under(domain_) : prefix;
  }

  const Name& domain_;
  const MesosRules& rules_;
  BuiltRecords& built_;
};

/// One task under one of its labels.
class TaskRecords {
 public:
  TaskRecords(const service::TaskRow& task, std::string label, std::string framework,
              const Name& domain, const MesosRules& rules, BuiltRecords& built)
      : task_(task),
        rules_(rules),
        label_(std::move(label)),
        framework_('.' + std::move(framework)),
        slave_(framework_ + ".slave"),
        canonical_(mesos_canonical(label_, task)),
        adder_(domain, rules, built) {}

  void add() {
    const auto own = mesos_addresses(task_, rules_.ip_sources);
    for (const std::string& name : {label_, canonical_}) {
      if (name.empty()) continue;
      adder_.addresses(name + framework_, own);
      adder_.addresses(name + slave_, task_.agent);
    }
    for (const std::uint16_t port : task_.ports) add_host_port(port);
    if (task_.discovery.empty()) return;
    for (const service::TaskPort& port : task_.discovery_ports) add_discovery_port(port);
  }

 private:
  void add_host_port(std::uint16_t port) {
    for (const char* protocol : {"._tcp", "._udp"}) {
      const std::string name = '_' + label_ + protocol;
      adder_.srv(name + slave_, canonical_ + slave_, port);
      if (task_.discovery.empty()) adder_.srv(name + framework_, canonical_ + slave_, port);
    }
  }

  void add_discovery_port(const service::TaskPort& port) {
    std::vector<std::string> protocols = {mesos_label(port.protocol, rules_.labels)};
    if (protocols.front().empty()) protocols = {"tcp", "udp"};
    const std::string port_label = mesos_label(port.name, rules_.labels);
    for (const std::string& protocol : protocols) {
      const std::string name = '_' + label_ + "._" + protocol + framework_;
      adder_.srv(name, canonical_ + framework_, port.number);
      if (!port_label.empty())
        adder_.srv('_' + port_label + '.' + name, canonical_ + framework_, port.number);
    }
  }

  const service::TaskRow& task_;
  const MesosRules& rules_;
  const std::string label_;
  const std::string framework_;  ///< with the dot before it
  const std::string slave_;
  const std::string canonical_;
  Adder adder_;
};

}  // namespace

void add_task(const service::TaskRow& task, const Name& domain, const MesosRules& rules,
              BuiltRecords& built) {
  const std::string framework = mesos_framework(task.framework, rules.labels);
  const std::string label = mesos_label(task.label(), rules.labels);
  if (framework.empty()) return;
  TaskRecords(task, label, framework, domain, rules, built).add();
  // As owners fold capitals, targets must.
  std::string written = task.discovery;
  std::ranges::transform(written, written.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  if (!written.empty() && written != label)
    TaskRecords(task, written, framework, domain, rules, built).add();
}

void add_framework(const service::MesosRow& framework, const Name& domain, const MesosRules& rules,
                   BuiltRecords& built) {
  const std::string name = mesos_framework(framework.name, rules.labels);
  if (name.empty() || framework.addresses.empty()) return;
  Adder adder(domain, rules, built);
  adder.addresses(name, framework.addresses);
  if (framework.port != 0) adder.srv("_framework._tcp." + name, name, framework.port);
}

void add_agent(const service::MesosRow& agent, const Name& domain, const MesosRules& rules,
               BuiltRecords& built) {
  if (agent.addresses.empty()) return;
  Adder adder(domain, rules, built);
  adder.addresses("slave", agent.addresses);
  if (agent.port != 0) adder.srv("_slave._tcp", "slave", agent.port);
}

void add_masters(std::span<const Master> masters, const Name& domain, const MesosRules& rules,
                 BuiltRecords& built) {
  Adder adder(domain, rules, built);
  for (const Master& leader : leaders_of(masters)) {
    adder.addresses("leader", leader.addresses);
    for (const char* protocol : {"._tcp", "._udp"})
      adder.srv(std::string("_leader") + protocol, "leader", leader.port);
  }
  for (const Master& master : masters) {
    adder.addresses("master", master.addresses);
    adder.addresses("master" + std::to_string(master.number), master.addresses);
  }
}

}  // namespace viaduct::dns::zones
