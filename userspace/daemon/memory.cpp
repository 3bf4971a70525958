#include "daemon/memory.h"

#include <boost/json.hpp>
#include <optional>
#include <stdexcept>

#include "base/errors.h"

namespace viaduct::daemon {
namespace {

namespace json = boost::json;

constexpr int kVersion = 1;

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
  return object;
}

json::object to_json(const service::PortMapping& mapping) {
  return {{"protocol", base::to_string(mapping.protocol)},
          {"host_port", mapping.host_port},
          {"container", mapping.container.to_string()}};
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
  return row;
}

service::PortMapping mapping_from(const json::object& object) {
  return {require(base::parse_protocol(text(object, "protocol")), "protocol"),
          object.at("host_port").to_number<std::uint16_t>(),
          require(base::Endpoint::parse(text(object, "container")), "container")};
}

}  // namespace

std::string write_memory(const std::map<std::string, service::SourceRows>& sources) {
  json::object all;
  for (const auto& [name, source] : sources) {
    json::array rows;
    for (const auto& row : source.rows) rows.push_back(to_json(row));
    json::array mappings;
    for (const auto& mapping : source.port_mappings) mappings.push_back(to_json(mapping));
    all[name] = json::object{{"rows", std::move(rows)}, {"port_mappings", std::move(mappings)}};
  }
  return json::serialize(json::object{{"version", kVersion}, {"sources", std::move(all)}});
}

base::Result<std::map<std::string, service::SourceRows>> read_memory(std::string_view contents) {
  try {
    const json::value parsed = json::parse({contents.data(), contents.size()});
    const json::object& root = parsed.as_object();
    if (root.at("version").to_number<int>() != kVersion)
      return base::Error{base::Errc::bad_format, "remembered rows are of another version"};
    std::map<std::string, service::SourceRows> sources;
    for (const auto& [name, value] : root.at("sources").as_object()) {
      service::SourceRows& source = sources[std::string(name)];
      for (const auto& row : value.at("rows").as_array())
        source.rows.push_back(row_from(row.as_object()));
      for (const auto& mapping : value.at("port_mappings").as_array())
        source.port_mappings.push_back(mapping_from(mapping.as_object()));
    }
    return sources;
  } catch (const std::exception&
               exception) {  // Boost.JSON's accessors throw; no exception leaves the module
    return base::Error{base::Errc::bad_format, std::string("remembered rows: ") + exception.what()};
  }
}

}  // namespace viaduct::daemon
