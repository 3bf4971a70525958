#include "mesos/task_rows.h"

#include <algorithm>
#include <optional>

#include "base/errors.h"
#include "base/quote.h"
#include "mesos/limits.h"
#include "mesos/rows.h"
#include "service/task_row.h"

namespace viaduct::mesos {
namespace {

using service::Policy;

std::optional<std::uint16_t> usable_port(std::int64_t number) {
  if (number < 1 || number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

/// The index-th port of the task's port resources, counted from 0 over all ranges in order.
std::optional<std::uint16_t> nth_port(const std::vector<PortRange>& ranges, std::uint32_t index) {
  for (const PortRange& range : ranges) {
    const std::uint32_t size = range.end - range.begin + 1u;
    if (index < size) return static_cast<std::uint16_t>(range.begin + index);
    index -= size;
  }
  return std::nullopt;
}

/// Digits only; more than 65535 is more than any task has ports.
std::optional<std::uint32_t> parse_index(std::string_view text) {
  constexpr std::size_t kMaxDigits = 5;
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value;
}

bool in_networks(const std::vector<std::string>& networks, const std::string& network) {
  return networks.empty() || std::find(networks.begin(), networks.end(), network) != networks.end();
}

std::string list_of(const std::vector<std::string>& networks) {
  std::string out;
  for (const auto& network : networks)
    out += (out.empty() ? "" : " or ") + base::in_quotes(network);
  return out;
}

base::Error refused(std::string reason) { return {base::Errc::bad_format, std::move(reason)}; }

/// `host`, `container`, or absent for neither.
base::Result<std::optional<bool>> host_scope(const DiscoveryPort& port) {
  std::optional<bool> on_host;
  for (const Label& label : port.labels) {
    if (label.key != kNetworkScopeLabel) continue;
    if (label.value != "host" && label.value != "container")
      return refused("network-scope is " + base::in_quotes(label.value) +
                     ", not host or container");
    const bool is_host = label.value == "host";
    if (on_host && *on_host != is_host)
      return refused("network-scope says both host and container");
    on_host = is_host;
  }
  return on_host;
}

}  // namespace

std::uint16_t task_weight(const Task& task) {
  if (task.state != TaskState::running) return 0;
  return task.healthy.value_or(!task.has_health_check) ? 1 : 0;
}

TaskRows::TaskRows(const Task& task, const std::string& framework, const base::Address& node,
                   RowMap& rows, Rejections& rejections)
    : task_(task),
      framework_(framework),
      node_(node),
      rows_(rows),
      rejections_(rejections),
      where_("task " + task.id) {
  on_host_network_ = std::any_of(task.addresses.begin(), task.addresses.end(),
                                 [&](const TaskAddress& own) { return own.address == node; });
  policy_ = policy_of(task_.labels, where_, Policy{});
}

/// What the labels say of the policy; `fallback` for what they leave open or say wrongly.
Policy TaskRows::policy_of(const std::vector<Label>& labels, const std::string& where,
                           const Policy& fallback) {
  Policy policy = fallback;
  for (const service::PolicyField& field : service::policy_fields()) {
    const auto label = std::find_if(labels.begin(), labels.end(),
                                    [&](const Label& one) { return one.key == field.label; });
    if (label == labels.end()) continue;
    if (const auto taken = field.set(policy, label->value); !taken)
      rejections_.add(label_place(where, label->key),
                      taken.error().context + "; " + field.text(policy) + " is used");
  }
  return policy;
}

void TaskRows::add_task_labels() {
  for (const Label& label : task_.labels)
    if (vip_port_index(label.key)) add_task_label(label);
}

void TaskRows::add_task_label(const Label& label) {
  const std::string where = label_place(where_, label.key);
  const auto index = parse_index(*vip_port_index(label.key));
  if (!index) return rejections_.add(where, "what follows vip_port is not an index 0..99999");
  const auto number = nth_port(task_.port_resources, *index);
  if (!number) return rejections_.add(where, "the task has no port of that index");
  const std::string_view value = label.value;
  for (const auto protocol : {base::Protocol::tcp, base::Protocol::udp}) {
    const std::string scheme = std::string(base::to_string(protocol)) + "://";
    if (value.starts_with(scheme))
      return add_vip(where, value.substr(scheme.size()), protocol,
                     {.on_host = true, .number = *number, .networks = {}}, policy_);
  }
  rejections_.add(where, base::in_quotes(value) + " does not begin with tcp:// or udp://");
}

void TaskRows::add_discovery_ports() {
  for (const DiscoveryPort& port : task_.discovery_ports)
    if (std::any_of(port.labels.begin(), port.labels.end(),
                    [](const Label& label) { return is_vip_label(label.key); }))
      add_discovery_port(port);
}

void TaskRows::add_discovery_port(const DiscoveryPort& port) {
  const std::string where = where_ + ", port " + std::to_string(port.number);
  const auto protocol = base::parse_protocol(port.protocol);
  if (!protocol)
    return rejections_.add(
        where, "protocol " + base::in_quotes(port.protocol) + " is neither tcp nor udp");
  const auto located = locate(port, *protocol);
  if (!located) return rejections_.add(where, located.error().context);
  const Policy policy = policy_of(port.labels, where, policy_);
  for (const Label& label : port.labels)
    if (is_vip_label(label.key))
      add_vip(label_place(where, label.key), label.value, *protocol, *located, policy);
}

base::Result<TaskRows::Port> TaskRows::locate(const DiscoveryPort& port,
                                              base::Protocol protocol) const {
  const auto number = usable_port(port.number);
  if (!number) return refused("the port number is not from 1 to 65535");
  const auto scope = host_scope(port);
  if (!scope) return scope.error();
  if (on_host_network_ || scope->value_or(false))
    return Port{.on_host = true, .number = *number, .networks = {}};
  Port located{.on_host = false, .number = *number, .networks = {}};
  for (const Label& label : port.labels)
    if (label.key == kNetworkNameLabel) located.networks.push_back(label.value);
  if (scope->has_value()) return located;  // network-scope=container wins over a port mapping
  for (const MappedPort& mapping : task_.mappings) {
    const auto mapped = base::parse_protocol(mapping.protocol.empty() ? "tcp" : mapping.protocol);
    const auto host_port = usable_port(mapping.host_port);
    if (mapped != protocol || mapping.container_port != port.number || !host_port) continue;
    if (!mapping.network.empty() && !in_networks(located.networks, mapping.network)) continue;
    return Port{.on_host = true, .number = *host_port, .networks = {}};
  }
  return located;
}

std::vector<base::Address> TaskRows::addresses(const service::VipTarget& vip, const Port& port,
                                               std::string& reason) const {
  const auto* explicit_vip = std::get_if<base::Address>(&vip);
  const auto fits = [&](const base::Address& address) {
    return explicit_vip == nullptr || explicit_vip->is_v4() == address.is_v4();
  };
  // On the host's network a named VIP has the node's address alone; an address VIP of the other
  // family may have the host's address of that family, which the task reports too.
  if (port.on_host && fits(node_)) return {node_};
  std::vector<base::Address> found;
  bool any = false;
  for (const TaskAddress& own : task_.addresses) {
    if (port.on_host ? !on_host_network_ : !in_networks(port.networks, own.network)) continue;
    any = true;
    if (fits(own.address) && service::can_be_dialled(own.address)) found.push_back(own.address);
  }
  if (!found.empty()) return found;
  if (port.on_host)
    reason = "the backend " + node_.to_string() + " is of another address family than the VIP";
  else if (task_.addresses.empty())
    reason = "the task reports no address";
  else if (!any)
    reason = "the task has no address on network " + list_of(port.networks);
  else
    reason =
        "none of the task's addresses can be a backend of this VIP (family, or not a unicast "
        "address)";
  return found;
}

void TaskRows::add_vip(const std::string& where, std::string_view value, base::Protocol protocol,
                       const Port& port, const Policy& policy) {
  const auto vip = service::parse_vip_label(value, framework_);
  if (!vip) return rejections_.add(where, vip.error().context);
  std::string reason;
  const auto backends = addresses(vip->target, port, reason);
  if (backends.empty()) return rejections_.add(where, reason);
  for (const base::Address& address : backends)
    add_row(*vip, protocol, {address, port.number}, policy, where);
}

void TaskRows::add_row(const service::VipLabel& vip, base::Protocol protocol,
                       const base::Endpoint& backend, const Policy& policy,
                       const std::string& where) {
  if (const auto* address = std::get_if<base::Address>(&vip.target);
      address != nullptr && base::Endpoint{*address, vip.port} == backend)
    return rejections_.add(where, "the VIP is its own backend");
  const RowKey key{vip.target, vip.port, protocol, backend};
  const auto known = rows_.find(key);
  if (known == rows_.end() && rows_.size() >= kMaxRows)
    return rejections_.add(where, "this node already publishes " + std::to_string(kMaxRows) +
                                      " rows, the most there may be");
  service::BackendRow row{vip.target,         vip.port, protocol, backend,
                          task_weight(task_), policy,   task_.id};
  // An ending task and its successor may share a port for a moment: the one that takes connections
  // counts.
  if (known == rows_.end())
    rows_.emplace(key, std::move(row));
  else if (known->second.weight < row.weight)
    known->second = std::move(row);
}

std::vector<service::PortMapping> TaskRows::port_mappings() {
  std::vector<service::PortMapping> out;
  if (task_.is_docker || on_host_network_) return out;
  for (const MappedPort& mapping : task_.mappings) {
    const auto protocol = base::parse_protocol(mapping.protocol.empty() ? "tcp" : mapping.protocol);
    if (mapping.host_port == 0 || !protocol) continue;
    const auto host_port = usable_port(mapping.host_port);
    const auto container_port = usable_port(mapping.container_port);
    if (!host_port || !container_port) {
      rejections_.add(where_, "port mapping " + std::to_string(mapping.host_port) + " to " +
                                  std::to_string(mapping.container_port) +
                                  " has a port that is not from 1 to 65535");
      continue;
    }
    for (const TaskAddress& own : task_.addresses) {
      const bool same_network = mapping.network.empty() || mapping.network == own.network;
      if (!same_network || own.address.is_v4() != node_.is_v4()) continue;
      out.push_back({*protocol, *host_port, {own.address, *container_port}});
      break;
    }
  }
  return out;
}

}  // namespace viaduct::mesos
