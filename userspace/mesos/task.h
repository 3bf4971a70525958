#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "service/task_row.h"

namespace viaduct::mesos {

enum class TaskState : std::uint8_t {
  preparing,  ///< not yet, or not known to be, running
  running,
  killing,  ///< asked to end; still serves what it has
  terminal,
};

/// TASK_RUNNING, TASK_KILLING and the terminal states by name; every other name is `preparing`.
/// Source: facts on dcos-net, 1.6.
TaskState parse_task_state(std::string_view name);

struct Label {
  std::string key;
  std::string value;

  bool operator==(const Label&) const = default;
};

/// A port that the task wants to be found under. Mesos checks none of it, so neither does this
/// type.
struct DiscoveryPort {
  std::int64_t number = 0;
  std::string protocol;       ///< as written; "" when absent
  std::vector<Label> labels;  ///< those that matter here (is_port_label)
  std::string name{};         ///< as written; "" when absent

  bool operator==(const DiscoveryPort&) const = default;
};

/// A host port that leads into the task's container; the numbers are as written.
struct MappedPort {
  std::int64_t host_port = 0;  ///< 0: none
  std::int64_t container_port = 0;
  std::string protocol;  ///< as written; "" when absent
  std::string network;   ///< "" when Mesos does not say

  bool operator==(const MappedPort&) const = default;
};

struct TaskAddress {
  base::Address address;
  std::string network;  ///< the CNI network's name, "" when unnamed

  bool operator==(const TaskAddress&) const = default;
};

/// Port resources, both ends included, 1 <= begin <= end <= 65535.
struct PortRange {
  std::uint16_t begin = 0;
  std::uint16_t end = 0;

  bool operator==(const PortRange&) const = default;
};

/// One task as an agent or a master describes it. Ids are unique within a framework only.
struct Task {
  std::string id;
  std::string framework_id;
  std::string agent_id;
  std::string name;
  TaskState state = TaskState::preparing;
  bool has_health_check = false;
  std::optional<bool> healthy;         ///< by the newest status; absent: no result yet
  std::vector<TaskAddress> addresses;  ///< of the newest status that has any
  std::vector<PortRange> port_resources;
  std::vector<Label> labels;  ///< those that matter here (is_task_label)
  std::vector<DiscoveryPort> discovery_ports;
  std::vector<MappedPort> mappings;
  bool is_docker = false;
  std::string discovery;  ///< the name that the task wants to be found under; "" when absent
  /// What the containerizers tell by status labels, of the newest status that has any.
  std::vector<service::TaskAddress> label_addresses;

  bool operator==(const Task&) const = default;
};

/// Whether a label of a discovery port says something about VIPs: VIP*, vip*, network-scope,
/// network-name, and those of the policy (service/policy.h).
bool is_port_label(std::string_view key);
/// Whether a label of a VIP port declares a VIP: it begins with exactly `VIP` or exactly `vip`.
bool is_vip_label(std::string_view key);
/// Whether a label of a task says something about VIPs: vip_port* in any case, and those
/// of the policy.
bool is_task_label(std::string_view key);
/// Who says an address by a label of a status; absent: the label says something else.
std::optional<service::AddressSource> address_label(std::string_view key);
/// The N of `vip_port<N>`, in any case; absent when the key has another form.
std::optional<std::string_view> vip_port_index(std::string_view key);

inline constexpr std::string_view kNetworkScopeLabel = "network-scope";
inline constexpr std::string_view kNetworkNameLabel = "network-name";

}  // namespace viaduct::mesos
