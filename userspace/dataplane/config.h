#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "config/check.h"
#include "config/key.h"
#include "config/values.h"

namespace viaduct::dataplane {

struct Config {
  bool enabled = true;
  std::string bpffs = "/sys/fs/bpf/viaduct";
  std::string cgroup;  ///< "": the mount of cgroup v2
  std::string link = "viaduct0";
  std::vector<std::string> container_links = {"veth*"};
  std::vector<std::string> uplinks;
  std::string tc = "auto";     ///< auto, tcx or clsact
  bool sockets = true;         ///< attach the socket programs
  bool dns = false;            ///< load and attach the program that answers DNS; [dns] has the key
  bool socket_destroy = true;  ///< destroy the sockets of backends that are gone
  std::chrono::milliseconds reconcile{30'000};
  std::uint32_t max_services = 0;
  std::uint32_t max_backends = 0;
  std::uint32_t max_slot_lines = 0;
  std::uint32_t max_flows = 0;
  std::uint32_t max_new_flows = 0;
  std::uint32_t max_affinities = 0;
  std::uint32_t health_failures = 3;
  std::string xdp = "auto";  ///< auto, native, generic or off
  base::Address tunnel4;     ///< this machine's end of tunnels; unspecified: none
  base::Address tunnel6;     ///< the same of IPv6
  std::chrono::seconds health_backoff{5};
  std::chrono::seconds health_backoff_max{60};
  std::uint32_t health_max_percent = 50;
};

/// The keys of [dataplane].
inline const std::vector<config::Key>& keys() {
  static const std::vector<config::Key> all = {
      {"dataplane.enabled", true, "program the kernel; false leaves DNS and the API"},
      {"dataplane.bpffs",
       std::string("/sys/fs/bpf/viaduct"),
       "folder in a BPF file system for maps and links",
       "",
       {},
       {},
       config::check_absolute_path},
      {"dataplane.cgroup",
       std::string(),
       "cgroup v2 folder whose processes use VIPs at connect(); empty: the whole machine's",
       "",
       {},
       {},
       config::check_absolute_path_or_empty},
      {"dataplane.link",
       std::string("viaduct0"),
       "network device that VIP routes lead into",
       "",
       {},
       {},
       config::check_link_name},
      {"dataplane.container_links",
       std::vector<std::string>{"veth*"},
       "host ends of container links, names or patterns",
       "",
       {},
       {},
       config::check_link_pattern},
      {"dataplane.uplinks",
       std::vector<std::string>{},
       "links to other machines, names or patterns; empty: those of the default routes",
       "",
       {},
       {},
       config::check_link_pattern},
      {"dataplane.sockets",
       std::string("auto"),
       "whether processes in the cgroup reach VIPs at connect(); off: by packets, as all others",
       "",
       {},
       {"auto", "off"}},
      {"dataplane.socket_destroy",
       std::string("auto"),
       "whether sockets that are connected to a removed backend fail at once; off: only those "
       "whose packets are translated do",
       "",
       {},
       {"auto", "off"}},
      {"dataplane.tc",
       std::string("auto"),
       "how packet programs are attached",
       "",
       {},
       {"auto", "tcx", "clsact"}},
      {"dataplane.xdp",
       std::string("auto"),
       "how uplinks send VIP traffic to backends of other machines; auto: native, else generic, "
       "and not on veths",
       "",
       {},
       {"auto", "native", "generic", "off"}},
      {"dataplane.reconcile_ms", std::int64_t{30'000},
       "time between full comparisons with the kernel", "ms", config::Range{100, 3'600'000}},
      {"dataplane.max_services", std::int64_t{131'072}, "entries of each service map", "",
       config::Range{16, 1 << 22}},
      {"dataplane.max_backends", std::int64_t{131'072}, "entries of the backend map", "",
       config::Range{16, 1 << 22}},
      {"dataplane.max_slot_lines", std::int64_t{720'896}, "entries of the slot map, 64 bytes each",
       "", config::Range{64, 1 << 23}},
      {"dataplane.max_flows", std::int64_t{131'072}, "entries of the flow table, two a flow", "",
       config::Range{64, 1 << 24}},
      {"dataplane.max_new_flows", std::int64_t{16'384},
       "entries of the table of flows that are not answered yet, two a flow", "",
       config::Range{64, 1 << 24}},
      {"dataplane.max_affinities", std::int64_t{65'536}, "clients that are remembered by affinity",
       "", config::Range{64, 1 << 24}},
      {"dataplane.health_failures", std::int64_t{3},
       "failed TCP connects in a row that eject a backend on this node; 0: never", "",
       config::Range{0, 1000}},
      {"dataplane.health_backoff_s", std::int64_t{5},
       "time that an ejected backend gets no new connections; doubled each time in a row", "s",
       config::Range{1, 3600}},
      {"dataplane.health_backoff_max_s", std::int64_t{60}, "most that this time grows to", "s",
       config::Range{1, 86'400}},
      {"dataplane.health_max_percent", std::int64_t{50},
       "share of a VIP's backends that may be ejected at a time; one always may, the last never",
       "%", config::Range{0, 100}},
  };
  return all;
}

inline Config from(const config::Values& values) {
  Config config;
  config.enabled = values.boolean("dataplane.enabled");
  config.bpffs = values.string("dataplane.bpffs");
  config.cgroup = values.string("dataplane.cgroup");
  config.link = values.string("dataplane.link");
  config.container_links = values.string_list("dataplane.container_links");
  config.uplinks = values.string_list("dataplane.uplinks");
  config.sockets = values.string("dataplane.sockets") == "auto";
  config.socket_destroy = values.string("dataplane.socket_destroy") == "auto";
  config.tc = values.string("dataplane.tc");
  config.xdp = values.string("dataplane.xdp");
  config.reconcile = std::chrono::milliseconds(values.integer("dataplane.reconcile_ms"));
  config.max_services = static_cast<std::uint32_t>(values.integer("dataplane.max_services"));
  config.max_backends = static_cast<std::uint32_t>(values.integer("dataplane.max_backends"));
  config.max_slot_lines = static_cast<std::uint32_t>(values.integer("dataplane.max_slot_lines"));
  config.max_flows = static_cast<std::uint32_t>(values.integer("dataplane.max_flows"));
  config.max_new_flows = static_cast<std::uint32_t>(values.integer("dataplane.max_new_flows"));
  config.max_affinities = static_cast<std::uint32_t>(values.integer("dataplane.max_affinities"));
  config.health_failures = static_cast<std::uint32_t>(values.integer("dataplane.health_failures"));
  config.health_backoff = std::chrono::seconds(values.integer("dataplane.health_backoff_s"));
  config.health_backoff_max =
      std::chrono::seconds(values.integer("dataplane.health_backoff_max_s"));
  config.health_max_percent =
      static_cast<std::uint32_t>(values.integer("dataplane.health_max_percent"));
  return config;
}

}  // namespace viaduct::dataplane
