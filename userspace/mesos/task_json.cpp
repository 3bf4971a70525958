#include "mesos/task_json.h"

#include <boost/json/array.hpp>
#include <limits>

#include "base/quote.h"
#include "mesos/limits.h"

namespace viaduct::mesos {
namespace {

namespace json = boost::json;

/// Labels that matter here. The others may be long and of any type: they are not looked at.
template <class Matters>
std::vector<Label> read_labels(const JsonItem& owner, std::size_t limit, Matters matters) {
  std::vector<Label> labels;
  const auto wrapper = owner.object("labels");
  const json::array* list = wrapper ? wrapper->array("labels") : nullptr;
  if (list == nullptr) return labels;
  for (const auto& element : *list) {
    const auto* object = element.if_object();
    const json::value* raw_key = object == nullptr ? nullptr : object->if_contains("key");
    const auto* key = raw_key == nullptr ? nullptr : raw_key->if_string();
    if (key == nullptr) {
      owner.reject("has a label without a key");
      continue;
    }
    const std::string_view name(key->data(), key->size());
    if (!matters(name)) continue;
    const JsonItem item(*object, label_place(owner.where(), name), owner.rejections());
    if (labels.size() == limit) {
      item.reject("only the first " + std::to_string(limit) + " labels are read");
      break;
    }
    if (name.size() > kMaxTextBytes) {
      item.reject("the key has more than " + std::to_string(kMaxTextBytes) + " bytes");
      continue;
    }
    if (!item.has("value"))
      labels.push_back({std::string(name), ""});
    else if (auto value = item.text("value"))
      labels.push_back({std::string(name), std::move(*value)});
  }
  return labels;
}

void read_mappings(const json::array* list, const JsonItem& owner, const std::string& network,
                   Task& task) {
  for_each_item(list, owner, "port mapping", kMaxMappingsPerTask, [&](const JsonItem& item) {
    if (task.mappings.size() == kMaxMappingsPerTask) return item.reject("there are too many");
    const auto container_port = item.integer("container_port");
    if (!container_port) return item.reject("has no usable container_port");
    const std::int64_t host_port = item.integer("host_port").value_or(0);
    task.mappings.push_back(
        {host_port, *container_port, item.text("protocol").value_or(""), network});
  });
}

void read_network_mappings(const json::array* networks, const JsonItem& owner, Task& task) {
  for_each_item(networks, owner, "network", kMaxAddressesPerTask, [&](const JsonItem& item) {
    const std::string network = item.text("name").value_or("");
    read_mappings(item.array("port_mappings"), item, network, task);
  });
}

/// The CNI isolator of Mesos writes IPv6 addresses with their prefix length: "fd78:1::2/64".
std::optional<base::Address> parse_task_address(std::string_view text) {
  return base::Address::parse(text.substr(0, text.find('/')));
}

std::vector<TaskAddress> read_addresses(const json::array* networks, const JsonItem& owner) {
  std::vector<TaskAddress> addresses;
  for_each_item(networks, owner, "network", kMaxAddressesPerTask, [&](const JsonItem& network) {
    const std::string name = network.text("name").value_or("");
    const auto take = [&](const JsonItem& item) {
      const auto text = item.text("ip_address");
      if (!text) return;  // an address that Mesos still has to assign
      const auto address = parse_task_address(*text);
      if (!address) return item.reject(base::in_quotes(*text) + " is not an IP address");
      if (addresses.size() == kMaxAddressesPerTask) return item.reject("there are too many");
      addresses.push_back({*address, name});
    };
    if (!network.has("ip_addresses")) return take(network);  // Mesos before 1.0
    for_each_item(network.array("ip_addresses"), network, "address", kMaxAddressesPerTask, take);
  });
  return addresses;
}

std::vector<service::TaskAddress> read_label_addresses(const JsonItem& status) {
  std::vector<service::TaskAddress> addresses;
  for (const Label& label : read_labels(status, kMaxAddressesPerTask, [](std::string_view key) {
         return address_label(key).has_value();
       }))
    if (const auto address = parse_task_address(label.value))
      addresses.push_back({*address_label(label.key), *address});
  return addresses;
}

/// Takes health from the newest status and the addresses from the newest one that has any: an
/// address holds for the task's life, while some statuses come without their container.
class StatusReader {
 public:
  void read(const JsonItem& item) {
    const double time = item.number("timestamp").value_or(-std::numeric_limits<double>::infinity());
    if (time >= newest_) {
      newest_ = time;
      healthy_ = item.boolean("healthy");
      if (item.has("labels"))
        if (auto labelled = read_label_addresses(item); !labelled.empty())
          label_addresses_ = std::move(labelled);
    }
    const auto container = item.object("container_status");
    const json::array* networks = container ? container->array("network_infos") : nullptr;
    if (networks == nullptr || time < newest_container_) return;
    auto addresses = read_addresses(networks, item);
    if (addresses.empty()) return;
    newest_container_ = time;
    addresses_ = std::move(addresses);
    with_mappings_ = {};
    read_network_mappings(networks, item, with_mappings_);
  }

  /// @param take_mappings  whether the statuses are the only ones to tell the port mappings.
  void finish(Task& task, bool take_mappings) {
    task.healthy = healthy_;
    task.addresses = std::move(addresses_);
    task.label_addresses = std::move(label_addresses_);
    if (take_mappings) task.mappings = std::move(with_mappings_.mappings);
  }

 private:
  double newest_ = -std::numeric_limits<double>::infinity();
  double newest_container_ = -std::numeric_limits<double>::infinity();
  std::optional<bool> healthy_;
  std::vector<TaskAddress> addresses_;
  std::vector<service::TaskAddress> label_addresses_;
  Task with_mappings_;
};

void read_statuses(const JsonItem& item, Task& task, bool take_mappings) {
  StatusReader reader;
  if (const json::array* list = item.array("statuses")) {
    const std::size_t first =
        list->size() > kMaxStatusesPerTask ? list->size() - kMaxStatusesPerTask : 0;
    for (std::size_t i = first; i < list->size(); i++) {
      const std::string where = item.where() + ", status #" + std::to_string(i + 1);
      if (const auto* object = (*list)[i].if_object())
        reader.read(JsonItem(*object, where, item.rejections()));
      else
        item.rejections().add(where, "is not an object");
    }
  }
  reader.finish(task, take_mappings);
}

void read_container(const JsonItem& item, Task& task) {
  const auto container = item.object("container");
  bool take_mappings = !container;  // a pod's task has no container of its own
  if (container) {
    task.is_docker = container->text("type").value_or("MESOS") == "DOCKER";
    if (task.is_docker) {
      if (const auto docker = container->object("docker"))
        read_mappings(docker->array("port_mappings"), item, "", task);
    } else {
      read_network_mappings(container->array("network_infos"), item, task);
    }
  }
  read_statuses(item, task, take_mappings);
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
  read_container(named, task);
  read_discovery(named, task);
  return task;
}

}  // namespace viaduct::mesos
