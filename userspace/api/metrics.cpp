#include "api/metrics.h"

#include <chrono>

namespace viaduct::api {
namespace {

using metrics::Family;
using metrics::Kind;

const Family kReplies{
    Kind::counter, "viaduct_api_replies_total", "Replies of the HTTP API.", {"status"}};
const Family kUptime{Kind::gauge, "viaduct_daemon_uptime_seconds",
                     "Time since the daemon started."};
const Family kVersion{
    Kind::gauge, "viaduct_daemon_info", "Always 1; the label is the version.", {"version"}};
const Family kServices{Kind::gauge, "viaduct_service_services", "VIPs of the current snapshot."};
const Family kBackends{Kind::gauge, "viaduct_service_backends",
                       "Backends of the current snapshot."};
const Family kEmpty{Kind::gauge, "viaduct_service_services_without_backend",
                    "VIPs that refuse connections: no backend has a weight above 0."};
const Family kRevision{Kind::gauge, "viaduct_service_revision", "Number of the current snapshot."};
const Family kComplete{
    Kind::gauge, "viaduct_service_complete",
    "1 when every source has answered since the start; before that nothing is withdrawn."};
const Family kMergeRejected{Kind::gauge, "viaduct_service_rejected_rows",
                            "Rows that lost a conflict while merging."};
const Family kSourceRows{
    Kind::gauge, "viaduct_source_rows", "Backend rows that the source has now.", {"source"}};
const Family kSourceRejected{Kind::gauge,
                             "viaduct_source_rejected_rows",
                             "Entries of the source that cannot be used.",
                             {"source"}};
const Family kSourceFailures{Kind::counter,
                             "viaduct_source_failures_total",
                             "Attempts to read the source that failed.",
                             {"source"}};
const Family kSourceAge{Kind::gauge,
                        "viaduct_source_age_seconds",
                        "Time since the source last answered; absent before its first answer.",
                        {"source"}};
const Family kApplied{Kind::gauge, "viaduct_dataplane_applied_revision",
                      "Snapshot that the kernel's maps show."};
const Family kPending{Kind::gauge, "viaduct_dataplane_pending_operations",
                      "Failed operations that are tried again."};
const Family kMapUsed{Kind::gauge, "viaduct_dataplane_map_used", "Elements in use.", {"map"}};
const Family kMapCapacity{
    Kind::gauge, "viaduct_dataplane_map_capacity", "Elements that fit.", {"map"}};
const Family kRecords{Kind::gauge, "viaduct_dns_records", "Names and addresses that are served."};

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

bool takes_connections(const service::Service& service) {
  for (const service::Backend& backend : service.backends)
    if (backend.weight > 0) return true;
  return false;
}

void publish_snapshot(const service::Snapshot& snapshot, metrics::Page& page) {
  std::size_t backends = 0;
  std::size_t empty = 0;
  for (const auto& service : snapshot.services) {
    backends += service->backends.size();
    if (!takes_connections(*service)) empty++;
  }
  page.add(kServices, snapshot.services.size());
  page.add(kBackends, backends);
  page.add(kEmpty, empty);
  page.add(kRevision, snapshot.revision);
  page.add(kComplete, snapshot.complete ? 1 : 0);
  page.add(kMergeRejected, snapshot.notes.rejected.size());
}

}  // namespace

void publish(const Counters& counters, metrics::Page& page) {
  for (const auto& [status, count] : counters.replies)
    page.add(kReplies, count, {std::to_string(status)});
}

void publish(const Views& views, metrics::Page& page) {
  page.add(kUptime, seconds(views.uptime));
  page.add(kVersion, 1, {views.version});
  if (views.snapshot) publish_snapshot(*views.snapshot, page);
  if (views.table) {
    for (const auto& [name, source] : views.table->sources()) {
      page.add(kSourceRows, source.parts.row_count(), {name});
      page.add(kSourceRejected, source.parts.rejected_count(), {name});
      page.add(kSourceFailures, source.failures, {name});
      if (source.last_success)
        page.add(kSourceAge, seconds(views.now - *source.last_success), {name});
    }
  }
  if (views.dataplane.enabled) {
    page.add(kApplied, views.dataplane.applied_revision);
    page.add(kPending, views.dataplane.pending);
    for (const MapUsage& map : views.dataplane.maps) {
      page.add(kMapUsed, map.used, {map.name});
      page.add(kMapCapacity, map.capacity, {map.name});
    }
  }
  if (views.dns.enabled) page.add(kRecords, views.dns.records);
}

}  // namespace viaduct::api
