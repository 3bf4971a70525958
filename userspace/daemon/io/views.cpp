#include "daemon/io/views.h"

#include "dns/io/metrics.h"

namespace viaduct::daemon {
namespace {

const metrics::Family kReasons{metrics::Kind::counter,
                               "viaduct_dataplane_reasons_total",
                               "Why packets and system calls left a program.",
                               {"hook", "reason", "verdict"}};
const metrics::Family kWrites{metrics::Kind::counter, "viaduct_dataplane_writes_total",
                              "Operations on the kernel's maps."};
const metrics::Family kRepairs{metrics::Kind::counter, "viaduct_dataplane_repairs_total",
                               "Operations that a comparison with the kernel found missing."};
const metrics::Family kDestroyed{metrics::Kind::counter,
                                 "viaduct_dataplane_sockets_destroyed_total",
                                 "Sockets that were destroyed because their backend is gone."};
const metrics::Family kNotDestroyed{metrics::Kind::counter,
                                    "viaduct_dataplane_socket_destroy_failures_total",
                                    "Attempts to destroy such a socket that failed."};

}  // namespace

api::DataplaneStatus dataplane_status(const Config& config, const dataplane::DataPlane* plane,
                                      const std::string& start_error, const Publisher& publisher) {
  api::DataplaneStatus status;
  status.enabled = config.dataplane.enabled;
  status.bpffs = config.dataplane.bpffs;
  status.cgroup = config.dataplane.cgroup;
  status.link = config.dataplane.link;
  status.container_links = config.dataplane.container_links;
  if (!plane) {
    status.state = config.dataplane.enabled ? "failed" : "off";
    status.last_error = start_error;
    return status;
  }
  const auto& own = plane->status();
  status.state = publisher.pending() || !own.problems.empty() ? "degraded" : "active";
  status.applied_revision = own.applied_revision;
  status.pending = publisher.pending() ? 1 : 0;
  status.last_error = own.last_error;
  for (const auto& problem : own.problems)
    status.problems.push_back({problem.key.to_string(), problem.reason});
  status.attached = own.links;
  status.sockets_destroyed = plane->reaped().destroyed;
  status.sockets_failed = plane->reaped().failed;
  const auto capacity = plane->maps().capacity();
  std::uint64_t slots = 0;
  for (const auto& [key, entry] : plane->image().services) slots += entry.slot_count;
  status.maps = {{"services", plane->image().services.size(), capacity.services},
                 {"backends", plane->image().backends.size(), capacity.backends},
                 {"slots", slots, capacity.slots}};
  return status;
}

api::KernelView kernel_view(const dataplane::DataPlane& plane) {
  api::KernelView view;
  const auto& image = plane.image();
  for (const auto& [key, entry] : image.services) {
    auto& backends = view[key];
    const auto found = image.backends_of.find(entry.id);
    if (found == image.backends_of.end()) continue;
    for (const std::uint32_t id : found->second) {
      const auto& backend = image.backends.at(id);
      const auto load = plane.maps().load(id);
      backends[backend.endpoint] = {.id = id,
                                    .weight = backend.weight,
                                    .open = load.open,
                                    .connects = load.connects,
                                    .flows = load.flows,
                                    .packets = load.packets,
                                    .failures = load.failures,
                                    .ejected_total = load.ejected_total,
                                    .ejected_for = load.ejected_for,
                                    .last_error = load.last_error_text(),
                                    .connect_time = load.connect_time};
    }
  }
  return view;
}

std::vector<api::Capability> capabilities(const dataplane::DataPlane* plane) {
  std::vector<api::Capability> all;
  if (plane)
    for (const auto& one : plane->capabilities())
      all.push_back({one.name, one.available, one.detail});
  return all;
}

api::DnsStatus dns_status(const Config& config, const dns::Server* server,
                          const Publisher& publisher) {
  api::DnsStatus status;
  status.enabled = config.dns.enabled;
  if (!server) return status;
  status.listening = server->listening();
  status.faults = server->faults();
  status.records = publisher.table() ? publisher.table()->record_count() : 0;
  status.queries = server->stats().queries();
  return status;
}

std::vector<api::DnsRecord> dns_records(const Publisher& publisher) {
  std::vector<api::DnsRecord> records;
  if (!publisher.table()) return records;
  for (const auto& record : publisher.table()->records()) {
    auto text = dns::to_text(record);
    records.push_back({std::move(text.name), std::move(text.host), std::move(text.rtype)});
  }
  return records;
}

void add_metrics(const dataplane::DataPlane* plane, const dns::Server* server,
                 metrics::Page& page) {
  if (plane) {
    page.add(kWrites, plane->status().writes);
    page.add(kRepairs, plane->status().repairs);
    page.add(kDestroyed, plane->reaped().destroyed);
    page.add(kNotDestroyed, plane->reaped().failed);
    if (const auto counters = plane->maps().counters())
      for (const auto& one : *counters)
        page.add(kReasons, one.count, {one.hook, one.reason, one.verdict});
  }
  if (server) dns::publish(server->stats(), page);
}

}  // namespace viaduct::daemon
