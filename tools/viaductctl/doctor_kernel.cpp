// What doctor concludes from the BPF file system, the maps and the attached socket programs.

#include <algorithm>
#include <boost/json.hpp>

#include "tools/viaductctl/doctor.h"

namespace viaduct::ctl {
namespace {

/// Parts of a hundred from which a map is worth a warning, and a fault.
constexpr std::uint64_t kWarnPercent = 80;
constexpr std::uint64_t kFaultPercent = 90;

std::string key_of(const std::string& map) {
  return "dataplane." + (map == "slots" ? std::string("max_slot_lines") : "max_" + map);
}

Finding judge_map(const MapFacts& map) {
  const std::uint64_t percent = map.capacity ? map.used * 100 / map.capacity : 100;
  const std::string what =
      std::to_string(map.used) + " of " + std::to_string(map.capacity) + " in use";
  const std::string check = "map " + map.name;
  if (percent < kWarnPercent) return {Level::ok, check, what, ""};
  if (map.name == "nodes")
    return {percent < kFaultPercent ? Level::warn : Level::fault, check,
            what + "; backends of further machines get no traffic from outside",
            "let other machines take these VIPs' traffic: the number is fixed"};
  const std::string fix =
      "raise " + key_of(map.name) + " and restart viaductd after removing the pinned map";
  // The flow table drops its oldest entries when it is full, so that new flows always fit.
  if (map.name == "flows")
    return {Level::warn, check, what + "; a full table cuts the longest idle flows", fix};
  if (map.name == "new_flows")
    return {Level::warn, check,
            what + " within ten seconds; clients flood VIPs, or the table is too small for them",
            "find the clients with viaductctl flows, or " + fix};
  if (percent < kFaultPercent) return {Level::warn, check, what, fix};
  return {Level::fault, check, what + "; new services soon do not fit", fix};
}

Finding judge_sockets(const Facts& facts) {
  const std::string check = "socket programs";
  if (!facts.cgroup)
    return {Level::fault, check,
            "no cgroup v2 is mounted: local clients reach VIPs by packets only",
            "mount -t cgroup2 none /sys/fs/cgroup/unified, or boot with "
            "systemd.unified_cgroup_hierarchy=1"};
  if (const auto why = lacking(facts, "socket hooks"))
    return {Level::warn, check, "none is attached: " + *why,
            "none needed unless the cost of a packet hurts; else see dataplane.sockets and "
            "dataplane.cgroup"};
  std::vector<std::string> wrong;
  for (const auto& [hook, problem] : facts.sock_pins)
    if (!problem.empty()) wrong.push_back(hook + " (" + problem + ")");
  if (wrong.empty() && !facts.sock_pins.empty())
    return {Level::ok, check,
            std::to_string(facts.sock_pins.size()) + " attached to " + *facts.cgroup, ""};
  const std::string what = wrong.empty()
                               ? "none is attached"
                               : "not attached to " + *facts.cgroup + ": " + some_of(wrong);
  return {Level::fault, check, what,
          "restart viaductd, which attaches them again; its log says why it could not"};
}

}  // namespace

std::vector<Finding> judge_kernel(const Facts& facts) {
  // Without a data plane there is nothing to find, and judge_daemon says so.
  if (facts.status && !flag_of(object_of(*facts.status, "dataplane"), "enabled")) return {};
  std::vector<Finding> found;
  if (!facts.bpffs_mounted) {
    found.push_back(
        {Level::fault, "bpffs", facts.bpffs + " is not in a BPF file system",
         "mount -t bpf bpf /sys/fs/bpf, then start viaductd; or name the folder with --bpffs"});
    return found;
  }
  if (!facts.maps_error.empty()) {
    found.push_back({Level::fault, "maps", facts.maps_error,
                     "start viaductd once, run this as root, or name the folder with --bpffs"});
    return found;
  }
  found.push_back({Level::ok, "maps", "pinned in " + facts.bpffs, ""});
  for (const MapFacts& map : facts.maps) found.push_back(judge_map(map));
  found.push_back(judge_sockets(facts));
  return found;
}

}  // namespace viaduct::ctl
