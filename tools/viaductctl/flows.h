#pragma once

#include <viaduct/abi/flow.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// A packet flow for people and programs: {"kind", "client", "vip", "protocol", "backend", "age_s",
/// "idle_s", "packets", "flags"}.
/// @param now_s  CLOCK_MONOTONIC_COARSE.
/// @return absent for the entry of the way back, which says nothing new.
std::optional<json::object> packet_flow(const vd_flow_key& key, const vd_flow& flow,
                                        std::uint32_t now_s);

/// A socket that is connected to a VIP: "kind", "client", "vip", "protocol", "backend" and "age_s"
/// as above, and
/// {"netns", "cookie", "inode"}: its network namespace, SO_COOKIE, and inode in
/// /proc/PID/fd (0: no process has it).
json::object socket_flow(const vd_sock_flow& flow, std::uint32_t now_s);

/// Which flows to show.
struct FlowFilter {
  std::string vip;      ///< "ADDRESS" or "ADDRESS:PORT"; empty: all
  std::string backend;  ///< the same
  std::string client;   ///< the same

  bool accepts(const json::value& flow) const;
};

/// A number of flows, and how many there are.
struct FlowList {
  FlowFilter filter;
  std::size_t limit = 0;  ///< most flows kept; 0: all
  json::array flows;
  std::uint64_t total = 0;  ///< those that the filter accepts, kept or not

  void add(json::object flow);
};

/// One line a flow, and a note when some are left out.
std::string flows_text(const FlowList& list);

}  // namespace viaduct::ctl
