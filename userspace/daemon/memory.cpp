#include "daemon/memory.h"

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <stdexcept>

#include "base/errors.h"

namespace viaduct::daemon {
namespace {

namespace json = boost::json;

constexpr int kVersion = 2;
constexpr int kVersionWithoutParts = 1;

json::object to_json(const service::BackendRow& row) {
  json::object object;
  if (const auto* name = std::get_if<service::VipName>(&row.vip))
    object["name"] = name->value;
  else
    object["address"] = std::get<base::Address>(row.vip).to_string();
  object["port"] = row.vip_port;
  object["protocol"] = base::to_string(row.protocol);
  object["backend"] = row.backend.to_string();
  object["weight"] = row.weight;
  for (const service::PolicyField& field : service::policy_fields())
    object[field.key] = field.text(row.policy);
  object["task"] = row.task;
  if (row.tunnel) object["tunnel"] = row.tunnel->to_string();
  return object;
}

json::object to_json(const service::PortMapping& mapping) {
  return {{"protocol", base::to_string(mapping.protocol)},
          {"host_port", mapping.host_port},
          {"container", mapping.container.to_string()}};
}

json::object to_json(const service::TaskRow& task) {
  json::array agent;
  for (const base::Address& address : task.agent) agent.emplace_back(address.to_string());
  json::array addresses;
  for (const service::TaskAddress& own : task.addresses)
    addresses.push_back(
        {{"source", static_cast<unsigned>(own.source)}, {"address", own.address.to_string()}});
  json::array ports;
  for (const std::uint16_t port : task.ports) ports.emplace_back(port);
  json::array discovery_ports;
  for (const service::TaskPort& port : task.discovery_ports)
    discovery_ports.push_back(
        {{"number", port.number}, {"name", port.name}, {"protocol", port.protocol}});
  return {{"framework", task.framework},
          {"id", task.id},
          {"name", task.name},
          {"discovery", task.discovery},
          {"agent_id", task.agent_id},
          {"agent", std::move(agent)},
          {"addresses", std::move(addresses)},
          {"ports", std::move(ports)},
          {"discovery_ports", std::move(discovery_ports)},
          {"host_port", task.host_port}};
}

json::object to_json(const service::MesosRow& process) {
  json::array addresses;
  for (const base::Address& address : process.addresses)
    addresses.emplace_back(address.to_string());
  return {{"role", static_cast<std::uint8_t>(process.role)},
          {"id", process.id},
          {"name", process.name},
          {"addresses", std::move(addresses)},
          {"port", process.port},
          {"order", process.order},
          {"leader", process.leader}};
}

template <class T>
T require(const std::optional<T>& value, const char* what) {
  if (!value) throw std::invalid_argument(what);
  return *value;
}

std::string text(const json::object& object, const char* key) {
  return std::string(object.at(key).as_string());
}

service::BackendRow row_from(const json::object& object) {
  service::BackendRow row;
  if (object.contains("name"))
    row.vip = service::VipName{text(object, "name")};
  else
    row.vip = require(base::Address::parse(text(object, "address")), "address");
  row.vip_port = object.at("port").to_number<std::uint16_t>();
  row.protocol = require(base::parse_protocol(text(object, "protocol")), "protocol");
  row.backend = require(base::Endpoint::parse(text(object, "backend")), "backend");
  row.weight = object.at("weight").to_number<std::uint16_t>();
  for (const service::PolicyField& field : service::policy_fields())
    if (object.contains(field.key) && !field.set(row.policy, object.at(field.key).as_string()))
      throw std::invalid_argument(std::string(field.key));
  row.task = text(object, "task");
  if (object.contains("tunnel"))
    row.tunnel = require(base::Address::parse(text(object, "tunnel")), "tunnel");
  return row;
}

service::PortMapping mapping_from(const json::object& object) {
  return {require(base::parse_protocol(text(object, "protocol")), "protocol"),
          object.at("host_port").to_number<std::uint16_t>(),
          require(base::Endpoint::parse(text(object, "container")), "container")};
}

service::TaskAddress task_address_from(const json::object& object) {
  const auto source = object.at("source").to_number<std::uint8_t>();
  if (source > static_cast<std::uint8_t>(service::AddressSource::docker))
    throw std::invalid_argument("source");
  return {static_cast<service::AddressSource>(source),
          require(base::Address::parse(text(object, "address")), "address")};
}

service::TaskRow task_from(const json::object& object) {
  service::TaskRow task;
  task.framework = text(object, "framework");
  task.id = text(object, "id");
  task.name = text(object, "name");
  task.discovery = text(object, "discovery");
  task.agent_id = text(object, "agent_id");
  for (const json::value& address : object.at("agent").as_array())
    task.agent.push_back(
        require(base::Address::parse(std::string_view(address.as_string())), "agent"));
  for (const json::value& own : object.at("addresses").as_array())
    task.addresses.push_back(task_address_from(own.as_object()));
  for (const json::value& port : object.at("ports").as_array())
    task.ports.push_back(port.to_number<std::uint16_t>());
  for (const json::value& port : object.at("discovery_ports").as_array())
    task.discovery_ports.push_back({port.at("number").to_number<std::uint16_t>(),
                                    text(port.as_object(), "name"),
                                    text(port.as_object(), "protocol")});
  task.host_port = object.at("host_port").as_bool();
  if (const auto checked = service::check_task(task); !checked)
    throw std::invalid_argument("task " + task.id + ": " + checked.error().context);
  return task;
}

service::MesosRow process_from(const json::object& object) {
  service::MesosRow process;
  const auto role = object.at("role").to_number<std::uint8_t>();
  if (role < static_cast<std::uint8_t>(service::MesosRole::framework) ||
      role > static_cast<std::uint8_t>(service::MesosRole::master))
    throw std::invalid_argument("role");
  process.role = static_cast<service::MesosRole>(role);
  process.id = text(object, "id");
  process.name = text(object, "name");
  for (const json::value& address : object.at("addresses").as_array())
    process.addresses.push_back(
        require(base::Address::parse(std::string_view(address.as_string())), "addresses"));
  process.port = object.at("port").to_number<std::uint16_t>();
  process.order = object.at("order").to_number<std::uint16_t>();
  process.leader = object.at("leader").as_bool();
  if (const auto checked = service::check_mesos_row(process); !checked)
    throw std::invalid_argument(std::string(to_string(process.role)) + " " + process.id + ": " +
                                checked.error().context);
  return process;
}

json::object to_json(const service::SourceRows& part) {
  json::array rows;
  for (const auto& row : part.rows) rows.push_back(to_json(row));
  json::array mappings;
  for (const auto& mapping : part.port_mappings) mappings.push_back(to_json(mapping));
  json::array tasks;
  for (const auto& task : part.tasks) tasks.push_back(to_json(task));
  json::array processes;
  for (const auto& process : part.processes) processes.push_back(to_json(process));
  return {{"rows", std::move(rows)},
          {"port_mappings", std::move(mappings)},
          {"tasks", std::move(tasks)},
          {"processes", std::move(processes)}};
}

service::SourceRows part_from(const json::value& value) {
  service::SourceRows part;
  for (const auto& row : value.at("rows").as_array())
    part.rows.push_back(row_from(row.as_object()));
  for (const auto& mapping : value.at("port_mappings").as_array())
    part.port_mappings.push_back(mapping_from(mapping.as_object()));
  if (const json::value* tasks = value.as_object().if_contains("tasks"))
    for (const auto& task : tasks->as_array()) part.tasks.push_back(task_from(task.as_object()));
  if (const json::value* processes = value.as_object().if_contains("processes"))
    for (const auto& process : processes->as_array())
      part.processes.push_back(process_from(process.as_object()));
  return part;
}

service::SourceParts parts_from(const json::value& value, int version) {
  if (version == kVersionWithoutParts) return part_from(value);
  service::SourceParts parts;
  for (const auto& [name, part] : value.as_object())
    parts.put(name, std::make_shared<const service::SourceRows>(part_from(part)));
  return parts;
}

}  // namespace

std::string write_memory(const std::map<std::string, service::SourceParts>& sources) {
  json::object all;
  for (const auto& [name, source] : sources) {
    json::object parts;
    for (const auto& [part_name, part] : source.by_name()) parts[part_name] = to_json(*part);
    all[name] = std::move(parts);
  }
  return json::serialize(json::object{{"version", kVersion}, {"sources", std::move(all)}});
}

base::Result<std::map<std::string, service::SourceParts>> read_memory(std::string_view contents) {
  try {
    const json::value parsed = json::parse({contents.data(), contents.size()});
    const json::object& root = parsed.as_object();
    const int version = root.at("version").to_number<int>();
    if (version != kVersion && version != kVersionWithoutParts)
      return base::Error{base::Errc::bad_format, "remembered rows are of another version"};
    std::map<std::string, service::SourceParts> sources;
    for (const auto& [name, value] : root.at("sources").as_object())
      sources[std::string(name)] = parts_from(value, version);
    return sources;
  } catch (const std::exception&
               exception) {  // Boost.JSON's accessors throw; no exception leaves the module
    return base::Error{base::Errc::bad_format, std::string("remembered rows: ") + exception.what()};
  }
}

}  // namespace viaduct::daemon
