#include "mesos/status_json.h"

#include <boost/json/array.hpp>
#include <limits>
#include <string>

#include "mesos/label_json.h"
#include "mesos/limits.h"
#include "mesos/network_json.h"

namespace viaduct::mesos {
namespace {

namespace json = boost::json;

constexpr double kNoTime = -std::numeric_limits<double>::infinity();

double timestamp(const JsonItem& status) { return status.number("timestamp").value_or(kNoTime); }

const json::array* networks_of(const JsonItem& status) {
  const auto container = status.object("container_status");
  return container ? container->array("network_infos") : nullptr;
}

std::vector<service::TaskAddress> read_label_addresses(const JsonItem& status) {
  std::vector<service::TaskAddress> addresses;
  if (!status.has("labels")) return addresses;
  for (const Label& label : read_labels(status, kMaxAddressesPerTask, [](std::string_view key) {
         return address_label(key).has_value();
       }))
    if (const auto address = parse_task_address(label.value))
      addresses.push_back({*address_label(label.key), *address});
  return addresses;
}

/// Calls `use(JsonItem)` for the last kMaxStatusesPerTask statuses.
template <class Use>
void for_each_status(const JsonItem& task, Use use) {
  const json::array* list = task.array("statuses");
  if (list == nullptr) return;
  const std::size_t first =
      list->size() > kMaxStatusesPerTask ? list->size() - kMaxStatusesPerTask : 0;
  for (std::size_t i = first; i < list->size(); i++) {
    const std::string where = task.where() + ", status #" + std::to_string(i + 1);
    if (const auto* object = (*list)[i].if_object())
      use(JsonItem(*object, where, task.rejections()));
    else
      task.rejections().add(where, "is not an object");
  }
}

}  // namespace

StatusFacts read_newest_statuses(const JsonItem& task) {
  StatusFacts facts;
  double newest = kNoTime;
  double newest_container = kNoTime;
  for_each_status(task, [&](const JsonItem& status) {
    const double time = timestamp(status);
    if (time >= newest) {
      newest = time;
      facts.healthy = status.boolean("healthy");
      if (auto labelled = read_label_addresses(status); !labelled.empty())
        facts.label_addresses = std::move(labelled);
    }
    const json::array* networks = networks_of(status);
    if (networks == nullptr || time < newest_container) return;
    auto addresses = read_addresses(networks, status);
    if (addresses.empty()) return;
    newest_container = time;
    facts.addresses = std::move(addresses);
    facts.mappings.clear();
    read_network_mappings(networks, status, facts.mappings);
  });
  return facts;
}

StatusFacts read_running_status(const JsonItem& task, StatusOrder order) {
  double newest = kNoTime;
  std::optional<JsonItem> chosen;
  for_each_status(task, [&](const JsonItem& status) {
    if (status.text("state") != "TASK_RUNNING") return;
    const double time = order == StatusOrder::by_place ? kNoTime : timestamp(status);
    if (time < newest) return;
    newest = time;
    chosen.emplace(status);
  });
  return chosen ? read_status(*chosen) : StatusFacts{};
}

StatusFacts read_status(const JsonItem& status) {
  StatusFacts facts;
  const json::array* networks = networks_of(status);
  facts.addresses = read_addresses(networks, status);
  read_network_mappings(networks, status, facts.mappings);
  facts.label_addresses = read_label_addresses(status);
  return facts;
}

}  // namespace viaduct::mesos
