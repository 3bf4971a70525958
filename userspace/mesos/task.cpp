#include "mesos/task.h"

#include <algorithm>
#include <array>

#include "service/policy.h"

namespace viaduct::mesos {
namespace {

constexpr std::array<std::string_view, 8> kTerminal = {
    "TASK_FINISHED", "TASK_FAILED",  "TASK_KILLED", "TASK_LOST",
    "TASK_ERROR",    "TASK_DROPPED", "TASK_GONE",   "TASK_GONE_BY_OPERATOR"};

constexpr std::string_view kVipPort = "vip_port";

bool is_policy_label(std::string_view key) {
  const auto fields = service::policy_fields();
  return std::any_of(fields.begin(), fields.end(),
                     [&](const service::PolicyField& field) { return field.label == key; });
}

}  // namespace

TaskState parse_task_state(std::string_view name) {
  if (name == "TASK_RUNNING") return TaskState::running;
  if (name == "TASK_KILLING") return TaskState::killing;
  const bool terminal = std::find(kTerminal.begin(), kTerminal.end(), name) != kTerminal.end();
  return terminal ? TaskState::terminal : TaskState::preparing;
}

bool is_vip_label(std::string_view key) { return key.starts_with("VIP") || key.starts_with("vip"); }

bool is_port_label(std::string_view key) {
  return is_vip_label(key) || key == kNetworkScopeLabel || key == kNetworkNameLabel ||
         is_policy_label(key);
}

std::optional<std::string_view> vip_port_index(std::string_view key) {
  if (key.size() < kVipPort.size()) return std::nullopt;
  const bool same =
      std::equal(kVipPort.begin(), kVipPort.end(), key.begin(), [](char ours, char c) {
        return ours == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
      });
  if (!same) return std::nullopt;
  return key.substr(kVipPort.size());
}

std::optional<service::AddressSource> address_label(std::string_view key) {
  if (key == "MesosContainerizer.NetworkSettings.IPAddress") return service::AddressSource::mesos;
  if (key == "Docker.NetworkSettings.IPAddress") return service::AddressSource::docker;
  return std::nullopt;
}

bool is_task_label(std::string_view key) {
  return is_policy_label(key) || vip_port_index(key).has_value();
}

}  // namespace viaduct::mesos
