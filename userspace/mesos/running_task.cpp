#include "mesos/running_task.h"

#include <algorithm>

namespace viaduct::mesos {
namespace {

bool is_port(std::int64_t number) { return number >= 1 && number <= 65535; }

bool on_host(const DiscoveryPort& port) {
  return std::any_of(port.labels.begin(), port.labels.end(), [](const Label& label) {
    return label.key == kNetworkScopeLabel && label.value == "host";
  });
}

/// Port mappings, ports that task labels number, and discovery ports that are the host's.
/// Source: facts on dcos-net, 1.4.
bool leads_inside(const Task& task) {
  const auto labelled = [](const Label& label) { return vip_port_index(label.key).has_value(); };
  return std::any_of(task.mappings.begin(), task.mappings.end(), has_host_port) ||
         (!task.port_resources.empty() &&
          std::any_of(task.labels.begin(), task.labels.end(), labelled)) ||
         std::any_of(task.discovery_ports.begin(), task.discovery_ports.end(), on_host);
}

class RowMaker {
 public:
  RowMaker(const Task& task, service::TaskRow& row, Rejections& rejections)
      : task_(task), row_(row), rejections_(rejections), where_("task " + task.id) {}

  void add_ports() {
    for (const PortRange& range : task_.port_resources)
      for (std::uint32_t port = range.begin; port <= range.end; port++) {
        if (row_.ports.size() == service::kMaxTaskPorts) return too_many("host ports");
        row_.ports.push_back(static_cast<std::uint16_t>(port));
      }
  }

  void add_discovery_ports() {
    for (const DiscoveryPort& port : task_.discovery_ports) {
      if (row_.discovery_ports.size() == service::kMaxTaskPorts) return too_many("discovery ports");
      if (port.number != 0 && !is_port(port.number))
        reject_port(port, "the number is not from 0 to 65535");
      else if (port.name.size() > service::kMaxPortNameOctets)
        reject_port(port, "its name has more than " + std::to_string(service::kMaxPortNameOctets) +
                              " octets");
      else if (port.protocol.size() > service::kMaxPortProtocolOctets)
        reject_port(port, "its protocol has more than " +
                              std::to_string(service::kMaxPortProtocolOctets) + " octets");
      else
        row_.discovery_ports.push_back(
            {static_cast<std::uint16_t>(port.number), port.name, port.protocol});
    }
  }

 private:
  void too_many(const char* what) {
    rejections_.add(where_, "only its first " + std::to_string(service::kMaxTaskPorts) + " " +
                                what + " are in DNS");
  }

  void reject_port(const DiscoveryPort& port, std::string reason) {
    rejections_.add(where_ + ", port " + std::to_string(port.number),
                    "is not in DNS: " + std::move(reason));
  }

  const Task& task_;
  service::TaskRow& row_;
  Rejections& rejections_;
  const std::string where_;
};

}  // namespace

bool has_host_port(const MappedPort& mapping) { return is_port(mapping.host_port); }

std::vector<service::TaskAddress> row_addresses(const std::vector<TaskAddress>& netinfo,
                                                const std::vector<service::TaskAddress>& labelled,
                                                service::AddressRule rule) {
  std::vector<service::TaskAddress> addresses;
  const auto add = [&](const service::TaskAddress& address) {
    if (rule(address.address) && addresses.size() < service::kMaxTaskAddresses &&
        std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  };
  for (const TaskAddress& own : netinfo) add({service::AddressSource::netinfo, own.address});
  for (const service::TaskAddress& own : labelled) add(own);
  return addresses;
}

service::TaskRow task_part(const Task& task, Rejections& rejections, service::AddressRule rule) {
  service::TaskRow row;
  row.id = task.id;
  row.name = task.name;
  row.discovery = task.discovery;
  row.agent_id = task.agent_id;
  row.addresses = row_addresses(task.addresses, task.label_addresses, rule);
  row.host_port = leads_inside(task);
  RowMaker maker(task, row, rejections);
  maker.add_ports();
  // Without a name nobody asks for them.
  if (!row.discovery.empty()) maker.add_discovery_ports();
  return row;
}

base::Result<service::TaskRow> running_task(const Task& task, const std::string& framework,
                                            const base::Address& agent, Rejections& rejections) {
  service::TaskRow row = task_part(task, rejections);
  row.framework = framework;
  row.agent = {agent};
  if (const auto checked = service::check_task(row); !checked) return checked.error();
  return row;
}

}  // namespace viaduct::mesos
