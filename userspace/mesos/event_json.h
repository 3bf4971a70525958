#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "mesos/cluster_reading.h"

namespace viaduct::mesos {

struct AgentGone {
  std::string id;
};
struct FrameworkGone {
  std::string id;
};
struct Heartbeat {};
struct UnknownEvent {};
/// An event of a known type that names no record.
struct UnusableEvent {
  std::vector<service::RejectedRow> rejected;
};

using MasterEvent =
    std::variant<ReadSnapshot, Heartbeat, ReadTask, ReadUpdate, ReadAgent, AgentGone, ReadFramework,
                 FrameworkGone, UnknownEvent, UnusableEvent>;

/// Reads one record of a SUBSCRIBE stream of the v1 operator API.
/// @errors bad_json; unexpected_shape: it says neither its type nor, of a SUBSCRIBED, the state.
/// Source: facts on Mesos' operator API, 4 to 6.
base::Result<MasterEvent> read_event(std::string_view record, const IsKnownTask& is_known);

}  // namespace viaduct::mesos
