#pragma once

#include <viaduct/abi/event.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// Which events a trace shows.
struct TraceFilter {
  std::optional<base::Address> vip;  ///< absent: every VIP
  std::uint16_t port = 0;            ///< 0: every port
  std::uint32_t sample_every = 1;    ///< one of so many
};

/// Reads "192.0.2.1", "192.0.2.1:80", "2001:db8::1" or "[2001:db8::1]:80".
/// @return absent for anything else.
std::optional<TraceFilter> parse_trace_filter(std::string_view text);

/// The filter for what /v1/vips has of a name: one address, and the port if all of them share it.
/// @return absent when there is none, or they have several addresses.
std::optional<TraceFilter> trace_filter_of(const json::array& vips);

/// {"time", "kind", "hook", "reason", "protocol", "client", "pid", "comm", "vip", "backend",
/// "backend_id", "error"}; kind: "new", "refused", "dropped", "failed" (a connect), "ejected" (its
/// backend with it); error: of a connect that failed. A client that is not known yet is "", a
/// backend that was not picked too.
/// @param time  when it happened, since 1970.
json::object event_json(const vd_event& event, std::chrono::nanoseconds time);

/// The same as a line for a person, as wide as trace_heading(); what is not "new" says why.
std::string event_text(const json::object& event);
std::string trace_heading();

/// How a trace went.
struct TraceSummary {
  std::uint64_t shown = 0;
  std::uint64_t lost = 0;         ///< the ring buffer had no room
  std::uint64_t sampled_out = 0;  ///< left out by sample_every
};
std::string summary_text(const TraceSummary& summary);

}  // namespace viaduct::ctl
