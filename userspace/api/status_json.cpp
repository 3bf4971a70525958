#include <boost/json.hpp>
#include <chrono>

#include "api/json.h"

namespace viaduct::api {
namespace {

namespace json = boost::json;

std::int64_t milliseconds(base::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

json::array texts(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& text : list) array.emplace_back(text);
  return array;
}

json::object dataplane_json(const DataplaneStatus& status) {
  json::array problems;
  for (const service::RejectedRow& problem : status.problems)
    problems.push_back({{"where", problem.where}, {"reason", problem.reason}});
  json::array maps;
  for (const MapUsage& map : status.maps)
    maps.push_back({{"name", map.name}, {"used", map.used}, {"capacity", map.capacity}});
  return {{"enabled", status.enabled},
          {"state", status.state},
          {"applied_revision", status.applied_revision},
          {"pending", status.pending},
          {"last_error", status.last_error},
          {"problems", std::move(problems)},
          {"maps", std::move(maps)},
          {"bpffs", status.bpffs},
          {"cgroup", status.cgroup},
          {"link", status.link},
          {"container_links", texts(status.container_links)},
          {"attached", texts(status.attached)},
          {"sockets_destroyed", status.sockets_destroyed},
          {"sockets_failed", status.sockets_failed}};
}

json::object dns_json(const DnsStatus& status) {
  json::array listening;
  for (const base::Endpoint& endpoint : status.listening)
    listening.emplace_back(endpoint.to_string());
  return {{"enabled", status.enabled},
          {"listening", std::move(listening)},
          {"faults", json::array(status.faults.begin(), status.faults.end())},
          {"records", status.records},
          {"queries", status.queries}};
}

json::object master_json(const MasterStatus& status) {
  json::object object{{"enabled", status.enabled},
                      {"known", status.known},
                      {"leader", status.leader ? status.leader->to_string() : ""},
                      {"streaming", status.streaming},
                      {"age_ms", nullptr},
                      {"tasks", status.tasks},
                      {"held", status.held},
                      {"agents", status.agents},
                      {"frameworks", status.frameworks},
                      {"last_error", status.error},
                      {"zookeeper", status.zookeeper}};
  if (status.age) object["age_ms"] = milliseconds(*status.age);
  return object;
}

}  // namespace

json::object source_json(const service::LocalTable::Source& source, base::Time now) {
  json::object object{{"complete", source.last_success.has_value()},
                      {"age_ms", nullptr},
                      {"failures", source.failures},
                      {"last_error", source.last_error}};
  if (source.last_success) object["age_ms"] = milliseconds(now - *source.last_success);
  return object;
}

json::value status_json(const Views& views) {
  json::array sources;
  if (views.table) {
    for (const auto& [name, source] : views.table->sources()) {
      json::object object{{"name", name}};
      for (auto& member : source_json(source, views.now)) object.insert(member);
      object["rows"] = source.parts.row_count();
      object["rejected"] = source.parts.rejected_count();
      sources.push_back(std::move(object));
    }
  }
  json::array capabilities;
  for (const Capability& capability : views.capabilities)
    capabilities.push_back({{"name", capability.name},
                            {"available", capability.available},
                            {"detail", capability.detail}});

  std::size_t backends = 0;
  if (views.snapshot)
    for (const auto& service : views.snapshot->services) backends += service->backends.size();
  return json::object{
      {"version", views.version},
      {"node", views.node},
      {"address", views.address.to_string()},
      {"revision", views.snapshot ? views.snapshot->revision : 0},
      {"complete", views.snapshot && views.snapshot->complete},
      {"uptime_ms", milliseconds(views.uptime)},
      {"services", views.snapshot ? views.snapshot->services.size() : 0},
      {"backends", backends},
      {"merge_rejected", views.snapshot ? views.snapshot->notes.rejected.size() : 0},
      {"dataplane", dataplane_json(views.dataplane)},
      {"dns", dns_json(views.dns)},
      {"mesos_master", master_json(views.master)},
      {"sources", std::move(sources)},
      {"capabilities", std::move(capabilities)}};
}

}  // namespace viaduct::api
