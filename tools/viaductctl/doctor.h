#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

enum class Level { ok, warn, fault };

/// The outcome of one check.
struct Finding {
  Level level = Level::ok;
  std::string check;
  std::string what;
  std::string fix;  ///< what to do; empty when fine

  bool operator==(const Finding&) const = default;
};

/// A device of this network namespace.
struct LinkFacts {
  std::string name;
  std::string kind;  ///< "dummy", "veth"; empty for hardware
  bool up = false;
  std::set<std::string> programs;  ///< "ingress", "egress": where our packet programs are attached
  std::optional<std::int64_t> rp_filter;  ///< net.ipv4.conf.<name>.rp_filter
  std::uint32_t mtu = 0;                  ///< 0: could not be read
  bool native_xdp = false;                ///< an XDP program, ours or not, runs in its driver
  std::string tunnel_program;             ///< "native", "generic": ours, attached; empty: not
  std::optional<bool> gro;                ///< received packets are merged in software
  std::optional<bool> lro;                ///< or by the NIC
};

/// What one DNS server address said to a query for the zone's SOA record.
struct DnsFacts {
  base::Endpoint server;
  std::string error;  ///< empty: it answered as it should
};

/// How full a pinned map is.
struct MapFacts {
  std::string name;  ///< "services", "backends", "slots", "flows", "new_flows"
  std::uint64_t used = 0;
  std::uint64_t capacity = 0;
};

/// All that doctor looks at. Absent values could not be read.
struct Facts {
  std::string socket;
  std::optional<json::value> status;  ///< reply of /v1/status
  std::string daemon_error;           ///< why `status` is absent
  bool daemon_refused_permission = false;
  std::optional<json::array> vips;     ///< reply of /v1/vips
  std::optional<json::value> cluster;  ///< reply of /v1/members

  std::string bpffs;
  bool bpffs_mounted = false;
  std::string maps_error;  ///< empty: every map is pinned
  std::vector<MapFacts> maps;

  std::optional<std::string> cgroup;  ///< folder that socket programs should be attached to
  std::map<std::string, std::string>
      sock_pins;  ///< by hook: "" attached as it should be, else what is wrong

  std::string link;                          ///< name of the device that VIPs are routed to
  std::vector<std::string> container_links;  ///< patterns
  std::vector<LinkFacts> links;
  std::string links_error;
  std::set<base::Address> vip_addresses;  ///< of the services in the maps
  std::set<base::Address> routes;         ///< ours, into the device
  std::set<base::Address> nodes;          ///< where tunnels to other machines end
  std::set<base::Address> lost_nodes;     ///< those of them that no route leads to

  std::optional<std::int64_t> ip_forward;
  std::optional<std::int64_t> ip6_forward;
  std::optional<std::int64_t> rp_filter_all;
  std::optional<std::int64_t> bridge_nf;  ///< absent: br_netfilter is not loaded

  std::vector<DnsFacts> dns;
  std::vector<std::string> resolvers;  ///< nameservers of /etc/resolv.conf
};

// Each topic's judgement; pure.
std::vector<Finding> judge_daemon(const Facts& facts);
std::vector<Finding> judge_kernel(const Facts& facts);
std::vector<Finding> judge_network(const Facts& facts);
std::vector<Finding> judge_links(const Facts& facts);
std::vector<Finding> judge_dns(const Facts& facts);
std::vector<Finding> judge_cluster(const Facts& facts);

/// All findings, daemon first.
std::vector<Finding> judge(const Facts& facts);

std::string findings_text(const std::vector<Finding>& findings);
/// [{"level", "check", "what", "fix"}]
json::array findings_json(const std::vector<Finding>& findings);

/// What viaductd says of a feature that it does without; nullopt: it has it, or does not answer.
std::optional<std::string> lacking(const Facts& facts, std::string_view feature);

/// Whether a device is the host's end of a container's link.
bool is_container_link(const Facts& facts, const LinkFacts& link);

/// Whether a device is a link to other machines: viaductd put its program there, and it is nothing
/// else.
bool is_uplink(const Facts& facts, const LinkFacts& link);

/// Whether a device's name matches "name" or "beginning*".
bool matches_pattern(std::string_view name, std::string_view pattern);

/// "a, b, c and 7 more".
std::string some_of(const std::vector<std::string>& texts);

}  // namespace viaduct::ctl
