#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "metrics/page.h"
#include "service/local_table.h"
#include "service/snapshot.h"

namespace viaduct::api {

/// What the kernel holds and counts of one backend.
struct KernelBackend {
  std::uint32_t id = 0;
  std::uint16_t weight = 0;
  std::uint32_t open = 0;      ///< sockets connected now
  std::uint64_t connects = 0;  ///< picks by a socket hook
  std::uint64_t flows = 0;     ///< flows that packet hooks made
  std::uint64_t packets = 0;   ///< packets towards the backend
  std::uint64_t failures = 0;  ///< TCP connects that failed
  std::uint32_t ejected_total = 0;
  std::chrono::seconds ejected_for{0};        ///< gets no new connections for so long from now
  std::string last_error;                     ///< of the last failed connect; empty: none failed
  std::chrono::microseconds connect_time{0};  ///< smoothed time of a TCP connect; 0: not known
};

/// The services in the kernel's maps: backends by the endpoint that is dialled.
using KernelView = std::map<service::VipKey, std::map<base::Endpoint, KernelBackend>>;

/// How full a map is.
struct MapUsage {
  std::string name;  ///< "services", "backends", "slots", "flows"
  std::uint64_t used = 0;
  std::uint64_t capacity = 0;
};

struct DataplaneStatus {
  bool enabled = false;
  std::string state;  ///< one word: "off", "starting", "active", "degraded", "failed"
  std::uint64_t applied_revision = 0;
  std::uint64_t pending = 0;  ///< operations that failed and are tried again
  std::string last_error;     ///< empty: the last write succeeded
  std::vector<service::RejectedRow>
      problems;  ///< services that could not be written, e.g. for want of room
  std::vector<MapUsage> maps;
  std::string bpffs;
  std::string cgroup;
  std::string link;                          ///< the device that VIPs are routed to
  std::vector<std::string> container_links;  ///< patterns of the configuration
  std::vector<std::string> attached;         ///< devices and hooks that programs are attached to
  std::uint64_t sockets_destroyed = 0;       ///< because their backend was removed
  std::uint64_t sockets_failed = 0;          ///< attempts at that which failed
};

struct DnsStatus {
  bool enabled = false;
  std::vector<base::Endpoint> listening;
  std::uint64_t records = 0;
  std::uint64_t queries = 0;
};

/// Something of the kernel that is used when it is there.
struct Capability {
  std::string name;
  bool available = false;
  std::string detail;  ///< what is used instead, or why it is missing
};

/// A name that DNS answers.
struct DnsRecord {
  std::string name;  ///< with the trailing dot
  std::string host;  ///< the address
  std::string type;  ///< "A", "AAAA"
};

/// All that the API shows. The daemon fills it for each request; what is dear to gather is a
/// function that is called only for the paths that show it. Null functions show nothing.
struct Views {
  std::string version;
  std::string node;
  base::Address address;
  base::Duration uptime{};
  base::Time now{};
  std::shared_ptr<const service::Snapshot> snapshot;  ///< null: none yet
  const service::LocalTable* table = nullptr;         ///< null: none yet
  DataplaneStatus dataplane;
  DnsStatus dns;
  std::vector<Capability> capabilities;
  std::function<KernelView()> kernel;
  std::function<std::vector<DnsRecord>()> records;
  std::function<void(metrics::Page&)>
      metrics;  ///< adds what the modules count; publish() adds the views
};

}  // namespace viaduct::api
