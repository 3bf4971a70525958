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

json::object to_json(const service::SourceRows& part) {
  json::array rows;
  for (const auto& row : part.rows) rows.push_back(to_json(row));
  json::array mappings;
  for (const auto& mapping : part.port_mappings) mappings.push_back(to_json(mapping));
  return {{"rows", std::move(rows)}, {"port_mappings", std::move(mappings)}};
}

service::SourceRows part_from(const json::value& value) {
  service::SourceRows part;
  for (const auto& row : value.at("rows").as_array())
    part.rows.push_back(row_from(row.as_object()));
  for (const auto& mapping : value.at("port_mappings").as_array())
    part.port_mappings.push_back(mapping_from(mapping.as_object()));
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
