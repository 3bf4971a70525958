#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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
  std::vector<std::string> faults;  ///< addresses that do not answer, each with the reason
  std::uint64_t records = 0;
  std::uint64_t queries = 0;
};

/// The leading Mesos master, on a node that asks it.
struct MasterStatus {
  bool enabled = false;
  bool known = false;                    ///< it has answered since the start
  std::optional<base::Endpoint> leader;  ///< absent: nobody answers
  bool streaming = false;                ///< it tells its events; else it is polled
  std::optional<base::Duration> age;     ///< since it said something; absent: never
  std::size_t tasks = 0;                 ///< running
  std::size_t held = 0;  ///< of them; their agents have yet to come back to a new master
  std::size_t agents = 0;
  std::size_t frameworks = 0;
  std::string error;      ///< why it says nothing now; ""
  std::string zookeeper;  ///< "connected", or why not; "": it is not asked
};

/// A member of the cluster as this node sees it.
struct ClusterMember {
  std::string name;
  base::Endpoint endpoint;
  std::string state;  ///< "alive", "suspect", "dead", "left"; "gone": no longer a member
  std::string mask;   ///< what that means for its backends: "none", "suspect", "dead"
  std::uint32_t incarnation = 0;
  bool viaduct = false;                            ///< false: Serf, for instance; it has no rows
  std::chrono::seconds since{0};                   ///< it has this state
  std::optional<std::chrono::milliseconds> heard;  ///< since it answered this node; absent: never
  std::size_t accusers = 0;                        ///< of a suspect
  std::chrono::milliseconds dies_in{0};            ///< a suspect, unless it or somebody objects
  std::string version;                             ///< of its viaductd; "": not known
  std::vector<std::string> keys;                   ///< ids; it encrypts with the first
  std::uint64_t epoch = 0;                         ///< of its rows here; 0: none
  std::uint64_t seq = 0;
  std::uint64_t lag = 0;  ///< versions that others have and this node has not
  std::size_t rows = 0;
  bool restored = false;  ///< rows from before this node's start; not heard of since
  std::chrono::seconds rows_age{0};
  bool cloned = false;  ///< two nodes publish under this name
};

/// Messages of peers that could not be used, since the start.
struct ClusterDrop {
  std::string reason;  ///< a word
  std::string help;    ///< a sentence
  std::uint64_t messages = 0;
};

struct ClusterStatus {
  bool enabled = false;
  std::string problem;  ///< why it does not run; ""
  base::Endpoint listen;
  bool encrypted = false;
  std::vector<std::string> keys;  ///< ids, the one that encrypts first
  std::string label;
  int health = 0;  ///< how much this node doubts itself; 0: not at all
  bool left = false;
  std::vector<ClusterMember> members;          ///< by name, this node included
  std::vector<ClusterDrop> dropped;            ///< what peers sent and could not be used
  std::string publish_error;                   ///< why its newest rows are not published; ""
  std::vector<service::RejectedRow> rejected;  ///< own rows that no other node could use, and
                                               ///< others' that cannot be used here
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

/// An upstream of forwarded names.
struct DnsUpstream {
  base::Endpoint endpoint;
  double round_trip_ms = 0;  ///< smoothed; 0: not measured
  double failures = 0;       ///< that have not faded yet
  std::string note;          ///< why it is not asked; ""
};

/// How a question is answered, and from what.
struct DnsExplanation {
  std::string name;  ///< as asked, with the trailing dot
  std::string type;
  // One of our zones:
  std::string zone;    ///< its apex; "": none of ours
  bool ready = false;  ///< false: SERVFAIL, the cluster's names are not all known yet
  std::uint32_t serial = 0;
  std::string table_name;  ///< differs from `name` under an alias
  bool exists = false;
  std::vector<std::string> records;   ///< "5 A 11.0.0.1"
  std::vector<std::string> sources;   ///< rows that the name is made of
  std::optional<std::uint32_t> slot;  ///< its element in vd_dns_slot_v1
  std::string kernel;                 ///< "" if the kernel answers too, else why it does not
  // Forwarded:
  std::string forward_zone;  ///< "."; "": not forwarded, REFUSED
  std::vector<DnsUpstream> upstreams;
  bool pending = false;  ///< the upstreams were asked just now: ask again
  std::string origin;    ///< where the last answer came from
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
  MasterStatus master;
  std::function<ClusterStatus()> cluster;
  std::vector<Capability> capabilities;
  std::function<KernelView()> kernel;
  std::function<std::vector<DnsRecord>()> records;
  /// @errors the context says what is wrong with the name or the type.
  std::function<base::Result<DnsExplanation>(const std::string& name, const std::string& type)>
      explain_name;
  std::function<void(metrics::Page&)>
      metrics;  ///< adds what the modules count; publish() adds the views
};

}  // namespace viaduct::api
