#pragma once

#include "api/views.h"
#include "daemon/config.h"
#include "daemon/io/publisher.h"
#include "dataplane/io/data_plane.h"
#include "dns/io/server.h"

namespace viaduct::daemon {

// What the API shows of a module.

api::DataplaneStatus dataplane_status(const Config& config, const dataplane::DataPlane* plane,
                                      const std::string& start_error, const Publisher& publisher);
api::KernelView kernel_view(const dataplane::DataPlane& plane);
std::vector<api::Capability> capabilities(const dataplane::DataPlane* plane);
api::DnsStatus dns_status(const Config& config, const dns::Server* server,
                          const Publisher& publisher);
std::vector<api::DnsRecord> dns_records(const Publisher& publisher);
void add_metrics(const dataplane::DataPlane* plane, const dns::Server* server, metrics::Page& page);

}  // namespace viaduct::daemon
