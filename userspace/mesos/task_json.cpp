#include "mesos/task_json.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <utility>

#include "base/quote.h"
#include "mesos/label_json.h"
#include "mesos/limits.h"
#include "mesos/network_json.h"
#include "mesos/status_json.h"

namespace viaduct::mesos {
namespace {

/// @return whether only the statuses tell the port mappings.
bool read_container(const JsonItem& item, Task& task) {
  const auto container = item.object("container");
  if (!container) return true;  // a pod's task has no container of its own
  task.is_docker = container->text("type").value_or("MESOS") == "DOCKER";
  if (task.is_docker) {
    if (const auto docker = container->object("docker"))
      read_mappings(docker->array("port_mappings"), item, "", task.mappings);
  } else {
    read_network_mappings(container->array("network_infos"), item, task.mappings);
  }
  return false;
}

void take_status(StatusFacts facts, bool take_mappings, Task& task) {
  task.healthy = facts.healthy;
  task.addresses = std::move(facts.addresses);
  task.label_addresses = std::move(facts.label_addresses);
  if (take_mappings) task.mappings = std::move(facts.mappings);
}

/// After a bad range the index of every later port would be wrong, so reading stops there.
void read_port_resources(const JsonItem& item, Task& task) {
  bool broken = false;
  for_each_item(
      item.array("resources"), item, "resource", kMaxRangesPerTask, [&](const JsonItem& resource) {
        if (broken || resource.text("name") != "ports") return;
        const auto ranges = resource.object("ranges");
        for_each_item(ranges ? ranges->array("range") : nullptr, resource, "range",
                      kMaxRangesPerTask, [&](const JsonItem& range) {
                        if (broken) return;
                        const auto begin = range.integer("begin");
                        const auto end = range.integer("end");
                        broken = !begin || !end || *begin < 1 || *end > 65535 || *begin > *end ||
                                 task.port_resources.size() == kMaxRangesPerTask;
                        if (broken) return range.reject("is not a usable range of ports");
                        task.port_resources.push_back(
                            {static_cast<std::uint16_t>(*begin), static_cast<std::uint16_t>(*end)});
                      });
      });
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Reads "[31000-31001, 31005-31005]"; brackets and the ends of ranges of one may be missing. A bad
/// range costs itself alone: ports are not numbered here.
void read_port_text(const JsonItem& item, Task& task) {
  const auto resources = item.object("resources");
  const auto text = resources ? resources->text("ports", kMaxPortTextBytes) : std::nullopt;
  if (!text) return;
  std::string_view left = *text;
  if (left.starts_with('[')) left.remove_prefix(1);
  if (left.ends_with(']')) left.remove_suffix(1);
  while (!left.empty()) {
    const std::string_view range = left.substr(0, left.find(','));
    left.remove_prefix(std::min(left.size(), range.size() + 1));
    const std::size_t dash = range.find('-');
    const auto begin = parse_number(range.substr(0, dash));
    const auto end = dash == std::string_view::npos ? begin : parse_number(range.substr(dash + 1));
    if (task.port_resources.size() == kMaxRangesPerTask)
      return item.reject("has too many ranges of ports");
    if (!begin || !end || *begin < 1 || *end > 65535 || *begin > *end)
      item.reject(base::in_quotes(range.substr(0, 64)) + " is not a usable range of ports");
    else
      task.port_resources.push_back(
          {static_cast<std::uint16_t>(*begin), static_cast<std::uint16_t>(*end)});
  }
}

void read_discovery(const JsonItem& item, Task& task) {
  const auto discovery = item.object("discovery");
  if (discovery) task.discovery = discovery->text("name").value_or("");
  const auto ports = discovery ? discovery->object("ports") : std::nullopt;
  if (!ports) return;
  for_each_item(
      ports->array("ports"), item, "discovery port", kMaxPortsPerTask, [&](const JsonItem& port) {
        const auto number = port.integer("number");
        if (!number) {
          if (!port.has("number")) port.reject("has no number");
          return;
        }
        const JsonItem named = port.at(item.where() + ", port " + std::to_string(*number));
        task.discovery_ports.push_back({*number, named.text("protocol").value_or(""),
                                        read_labels(named, kMaxLabelsPerPort, is_port_label),
                                        named.text("name").value_or("")});
      });
}

}  // namespace

std::optional<Task> read_task(const JsonItem& item) {
  Task task;
  const auto id = item.id("task_id");
  const auto framework_id = item.id("framework_id");
  if (!id || id->empty()) {
    item.reject("has no usable task_id");
    return std::nullopt;
  }
  const JsonItem named = item.at("task " + *id);
  const auto state = named.text("state");
  if (!framework_id || framework_id->empty() || !state) {
    named.reject(state ? "has no usable framework_id" : "has no usable state");
    return std::nullopt;
  }
  task.id = *id;
  task.framework_id = *framework_id;
  task.agent_id = named.id("agent_id").value_or("");
  task.name = named.text("name").value_or("");
  task.state = parse_task_state(*state);
  if (task.state != TaskState::running && task.state != TaskState::killing) return task;
  task.has_health_check = named.has("health_check");
  task.labels = read_labels(named, kMaxLabelsPerTask, is_task_label);
  read_port_resources(named, task);
  const bool take_mappings = read_container(named, task);
  take_status(read_newest_statuses(named), take_mappings, task);
  read_discovery(named, task);
  return task;
}

bool is_ended(std::string_view state) {
  return parse_task_state(state) == TaskState::terminal || state == "TASK_UNREACHABLE";
}

std::optional<ClusterTask> read_cluster_task(const JsonItem& item, TaskForm form,
                                             const std::string& framework_id) {
  const bool v1 = form == TaskForm::v1;
  const auto id = v1 ? item.id("task_id") : item.text("id");
  if (!id || id->empty()) {
    item.reject("has no usable id");
    return std::nullopt;
  }
  const JsonItem named = item.at("task " + *id);
  ClusterTask read;
  Task& task = read.task;
  const auto state = named.text("state");
  task.id = *id;
  task.framework_id = framework_id.empty() ? named.id("framework_id").value_or("") : framework_id;
  if (task.framework_id.empty() || !state) {
    named.reject(state ? "has no usable framework_id" : "has no usable state");
    return std::nullopt;
  }
  task.state = parse_task_state(*state);
  read.ended = is_ended(*state);
  task.agent_id = (v1 ? named.id("agent_id") : named.text("slave_id")).value_or("");
  if (read.ended) return read;
  task.name = named.text("name").value_or("");
  task.labels = read_labels(named, kMaxLabelsPerTask, is_task_label);
  if (v1)
    read_port_resources(named, task);
  else
    read_port_text(named, task);
  std::sort(task.port_resources.begin(), task.port_resources.end(),
            [](const PortRange& a, const PortRange& b) { return a.begin < b.begin; });
  read.mappings_from_status = read_container(named, task);
  take_status(read_running_status(named, v1 ? StatusOrder::by_place : StatusOrder::by_timestamp),
              read.mappings_from_status, task);
  read_discovery(named, task);
  return read;
}

}  // namespace viaduct::mesos
