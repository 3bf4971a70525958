#include "tests/support/mesos_state_rows.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace viaduct::test {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMaxPort = 65535;

std::string text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// A list below some objects; none: the path ends before.
const json::array& list(const json::object& object, std::initializer_list<std::string_view> path) {
  static const json::array none;
  const json::object* at = &object;
  const json::value* value = nullptr;
  for (const std::string_view key : path) {
    value = at ? at->if_contains(key) : nullptr;
    at = value ? value->if_object() : nullptr;
  }
  return value && value->is_array() ? value->get_array() : none;
}

/// "scheduler(1)@192.0.2.1:80": what is behind the @.
base::Endpoint endpoint_of(const std::string& pid) {
  const std::size_t at = pid.find('@');
  const auto parsed =
      at == std::string::npos ? std::nullopt : base::Endpoint::parse(pid.substr(at + 1));
  return parsed.value_or(base::Endpoint{});
}

std::vector<base::Address> known(const base::Address& address) {
  if (address.is_unspecified()) return {};
  return {address};
}

std::vector<base::Address> addresses_of_host(const std::string& host) {
  if (host == "localhost") return {base::Address::v4(0x7f000001)};
  const auto parsed = base::Address::parse(host);
  return parsed ? known(*parsed) : std::vector<base::Address>{};
}

/// "[31000-31001, 31005-31005]".
std::vector<std::uint16_t> ports_of(std::string ranges) {
  std::erase_if(ranges, [](char c) { return c == '[' || c == ']' || c == ' '; });
  std::vector<std::uint16_t> ports;
  for (std::size_t at = 0; at < ranges.size();
       at = ranges.find(',', at) == std::string::npos ? ranges.size() : ranges.find(',', at) + 1) {
    const int first = std::stoi(ranges.substr(at));
    const int last = std::stoi(ranges.substr(ranges.find('-', at) + 1));
    for (int port = first; port <= last; ++port) ports.push_back(static_cast<std::uint16_t>(port));
  }
  return ports;
}

double time_of(const json::object& status) {
  const json::value* time = status.if_contains("timestamp");
  return time ? time->to_number<double>() : 0;
}

/// The latest status that says that the task runs; null: none does.
const json::object* running_status(const json::object& task) {
  const json::object* latest = nullptr;
  for (const json::value& status : list(task, {"statuses"})) {
    const json::object& object = status.as_object();
    if (text(object, "state") == "TASK_RUNNING" && (!latest || time_of(*latest) < time_of(object)))
      latest = &object;
  }
  return latest;
}

/// A mapped IPv4 address counts as IPv4.
void add(service::TaskRow& row, service::AddressSource source, std::string address) {
  if (address.starts_with("::ffff:") && address.find('.') != std::string::npos)
    address.erase(0, std::string_view("::ffff:").size());
  if (const auto parsed = base::Address::parse(address)) row.addresses.push_back({source, *parsed});
}

void read_status(const json::object& status, service::TaskRow& row) {
  for (const json::value& network : list(status, {"container_status", "network_infos"})) {
    const json::array& addresses = list(network.as_object(), {"ip_addresses"});
    for (const json::value& address : addresses)
      add(row, service::AddressSource::netinfo, text(address.as_object(), "ip_address"));
    if (addresses.empty())
      add(row, service::AddressSource::netinfo, text(network.as_object(), "ip_address"));
  }
  for (const json::value& label : list(status, {"labels"})) {
    const std::string key = text(label.as_object(), "key");
    const std::string value = text(label.as_object(), "value");
    if (key == "MesosContainerizer.NetworkSettings.IPAddress")
      add(row, service::AddressSource::mesos, value);
    if (key == "Docker.NetworkSettings.IPAddress") add(row, service::AddressSource::docker, value);
  }
}

service::TaskRow read_task(const json::object& task, std::string framework) {
  service::TaskRow row;
  row.framework = std::move(framework);
  row.id = text(task, "id");
  row.name = text(task, "name");
  row.agent_id = text(task, "slave_id");
  if (const json::value* resources = task.if_contains("resources"))
    row.ports = ports_of(text(resources->as_object(), "ports"));
  if (const json::object* status = running_status(task)) read_status(*status, row);
  const json::value* discovery = task.if_contains("discovery");
  if (!discovery || !discovery->is_object()) return row;
  row.discovery = text(discovery->get_object(), "name");
  for (const json::value& port : list(discovery->get_object(), {"ports", "ports"})) {
    const json::object& object = port.as_object();
    const json::value* number = object.if_contains("number");
    const std::int64_t value = number ? number->to_number<std::int64_t>() : 0;
    if (value >= 0 && value <= kMaxPort)
      row.discovery_ports.push_back(
          {static_cast<std::uint16_t>(value), text(object, "name"), text(object, "protocol")});
  }
  return row;
}

void add_masters(const json::object& state, std::span<const base::Endpoint> listed,
                 std::vector<service::MesosRow>& rows) {
  const base::Endpoint leader = endpoint_of(text(state, "leader"));
  std::vector<base::Endpoint> masters;
  for (const base::Endpoint& one : listed)
    if (std::none_of(masters.begin(), masters.end(),
                     [&](const base::Endpoint& other) { return other.address == one.address; }))
      masters.push_back(one);
  if (std::find(masters.begin(), masters.end(), leader) == masters.end()) masters.push_back(leader);
  for (const base::Endpoint& one : masters)
    rows.push_back({service::MesosRole::master,
                    one.to_string(),
                    "",
                    {one.address},
                    one.port,
                    static_cast<std::uint16_t>(&one - masters.data()),
                    one == leader});
}

}  // namespace

service::MasterView view_of_state(std::string_view words, std::span<const base::Endpoint> masters) {
  const json::value parsed = json::parse(json::string_view(words.data(), words.size()));
  const json::object& state = parsed.as_object();
  std::vector<service::MesosRow> rows;
  std::map<std::string, std::vector<base::Address>> agents;
  for (const json::value& value : list(state, {"slaves"})) {
    const json::object& agent = value.as_object();
    const base::Endpoint place = endpoint_of(text(agent, "pid"));
    agents[text(agent, "id")] = known(place.address);
    rows.push_back({service::MesosRole::agent, text(agent, "id"), "", known(place.address),
                    place.port, 0, false});
  }
  std::vector<std::shared_ptr<const service::Task>> tasks;
  for (const json::value& value : list(state, {"frameworks"})) {
    const json::object& framework = value.as_object();
    const std::string pid = text(framework, "pid");
    const base::Endpoint place = endpoint_of(pid);
    rows.push_back(
        {service::MesosRole::framework, text(framework, "id"), text(framework, "name"),
         pid.empty() ? addresses_of_host(text(framework, "hostname")) : known(place.address),
         place.port, 0, false});
    for (const json::value& task : list(framework, {"tasks"})) {
      service::TaskRow row = read_task(task.as_object(), text(framework, "name"));
      const auto agent = agents.find(row.agent_id);
      if (text(task.as_object(), "state") != "TASK_RUNNING" || agent == agents.end()) continue;
      row.agent = agent->second;
      tasks.push_back(std::make_shared<const service::Task>(service::Task{std::move(row), ""}));
    }
  }
  add_masters(state, masters, rows);
  std::vector<std::shared_ptr<const service::MesosProcess>> processes;
  for (service::MesosRow& row : rows)
    processes.push_back(
        std::make_shared<const service::MesosProcess>(service::MesosProcess{std::move(row), ""}));
  return {true, std::move(tasks), std::move(processes)};
}

}  // namespace viaduct::test
