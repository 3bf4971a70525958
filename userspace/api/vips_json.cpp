#include <boost/json.hpp>

#include "api/json.h"

namespace viaduct::api {
namespace {

namespace json = boost::json;

/// "web.marathon.l4lb.thisdcos.directory:80", "192.0.2.1:80" or "2001:db8::1:80", without brackets
/// as in dcos-net.
std::string vip_text(const service::Service& service) {
  const std::string host = service.name.empty() ? service.key.address.to_string()
                                                : service::VipName{service.name}.fqdn();
  return host + ":" + std::to_string(service.key.port);
}

json::object backend_json(const service::Backend& backend, const KernelBackend* kernel,
                          json::storage_ptr memory) {
  json::object object(memory);
  object["ip"] = backend.endpoint.address.to_string();
  object["port"] = backend.endpoint.port;
  object["weight"] = backend.weight;
  object["task"] = backend.task;
  object["node"] = backend.node;
  object["dial"] = backend.dial.to_string();
  if (backend.tunnel) object["tunnel"] = backend.tunnel->to_string();
  object["in_kernel"] = kernel != nullptr;
  const KernelBackend none;
  const KernelBackend& shown = kernel ? *kernel : none;
  object["id"] = shown.id;
  object["open"] = shown.open;
  object["connects"] = shown.connects;
  object["flows"] = shown.flows;
  object["packets"] = shown.packets;
  object["failures"] = shown.failures;
  object["ejected_total"] = shown.ejected_total;
  object["ejected_for_s"] = shown.ejected_for.count();
  object["last_error"] = shown.last_error;
  object["connect_us"] = shown.connect_time.count();
  return object;
}

const KernelBackend* find(const KernelView& kernel, const service::VipKey& key,
                          const base::Endpoint& dial) {
  const auto service = kernel.find(key);
  if (service == kernel.end()) return nullptr;
  const auto backend = service->second.find(dial);
  return backend == service->second.end() ? nullptr : &backend->second;
}

json::object row_json(const service::BackendRow& row, json::storage_ptr memory) {
  json::object object(memory);
  const auto* name = std::get_if<service::VipName>(&row.vip);
  object["vip"] = name ? name->value : std::get<base::Address>(row.vip).to_string();
  object["vip_port"] = row.vip_port;
  object["protocol"] = base::to_string(row.protocol);
  object["backend"] = row.backend.to_string();
  object["weight"] = row.weight;
  object["task"] = row.task;
  object["pick"] = service::to_string(row.policy.pick);
  object["affinity"] = row.policy.affinity.to_string();
  return object;
}

template <class Rows>
void append_rejected(const Rows& rejected, json::array& array) {
  for (const service::RejectedRow& row : rejected)
    array.push_back({{"where", row.where}, {"reason", row.reason}});
}

}  // namespace

json::value vips_json(const Views& views) {
  auto memory = json::make_shared_resource<json::monotonic_resource>();
  json::array vips(memory);
  if (!views.snapshot) return vips;
  const KernelView kernel = views.kernel ? views.kernel() : KernelView{};
  for (const auto& service : views.snapshot->services) {
    json::array backends(memory);
    for (const service::Backend& backend : service->backends)
      backends.push_back(backend_json(backend, find(kernel, service->key, backend.dial), memory));
    json::object vip(memory);
    vip["vip"] = vip_text(*service);
    vip["protocol"] = base::to_string(service->key.protocol);
    vip["backend"] = std::move(backends);
    vip["address"] = service->key.address.to_string();
    vip["port"] = service->key.port;
    vip["name"] = service->name;
    vip["pick"] = service::to_string(service->policy.pick);
    vip["affinity"] = service->policy.affinity.to_string();
    vip["in_kernel"] = kernel.contains(service->key);
    vips.push_back(std::move(vip));
  }
  return vips;
}

json::value rows_json(const Views& views) {
  auto memory = json::make_shared_resource<json::monotonic_resource>();
  json::object sources(memory);
  static const service::LocalTable kNothing;
  for (const auto& [name, source] : (views.table ? *views.table : kNothing).sources()) {
    json::object object = source_json(source, views.now);
    json::array rows(memory);
    json::array rejected(memory);
    for (const auto& [part_name, part] : source.parts.by_name()) {
      for (const service::BackendRow& row : part->rows) rows.push_back(row_json(row, memory));
      append_rejected(part->rejected, rejected);
    }
    object["rows"] = std::move(rows);
    object["rejected"] = std::move(rejected);
    sources[name] = std::move(object);
  }
  json::object all(memory);
  all["sources"] = std::move(sources);
  json::array merge_rejected(memory);
  if (views.snapshot) append_rejected(views.snapshot->notes.rejected, merge_rejected);
  all["merge_rejected"] = std::move(merge_rejected);
  return all;
}

json::value records_json(const std::vector<DnsRecord>& records) {
  auto memory = json::make_shared_resource<json::monotonic_resource>();
  json::array array(memory);
  for (const DnsRecord& record : records)
    array.push_back({{"name", record.name}, {"host", record.host}, {"rtype", record.type}});
  return array;
}

}  // namespace viaduct::api
