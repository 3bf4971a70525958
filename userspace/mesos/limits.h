#pragma once

#include <cstddef>

#include "service/local_table.h"

namespace viaduct::mesos {

// What one agent's answer may hold. Anything beyond a limit is rejected with a reason; the rest is
// used.

inline constexpr std::size_t kMaxJsonDepth = 64;
/// Memory that a decoded answer may take beside its text: so many times the text, plus the base.
/// Real answers take 3 to 6 times their text, a list of one-digit numbers 25 times.
inline constexpr std::size_t kMaxDecodedPerByte = 16;
inline constexpr std::size_t kDecodedBaseBytes = 1 << 20;

inline constexpr std::size_t kMaxTasks = 8192;
inline constexpr std::size_t kMaxFrameworks = 8192;
inline constexpr std::size_t kMaxStatusesPerTask = 256;  ///< the last ones are read
inline constexpr std::size_t kMaxPortsPerTask = 512;     ///< discovery ports
inline constexpr std::size_t kMaxMappingsPerTask = 512;  ///< port mappings
inline constexpr std::size_t kMaxRangesPerTask = 1024;   ///< of port resources
inline constexpr std::size_t kMaxLabelsPerPort = 64;     ///< labels that matter here
inline constexpr std::size_t kMaxLabelsPerTask = 256;    ///< labels that matter here
inline constexpr std::size_t kMaxAddressesPerTask = 16;
inline constexpr std::size_t kMaxTextBytes = 1024;  ///< an id, a name, a label's key or value
inline constexpr std::size_t kMaxRows = service::kMaxRowsPerSource;
inline constexpr std::size_t kMaxRejected = 4096;  ///< kept for people; more are only counted

// What a master may say of its cluster. Records beyond a limit are rejected; the rest is used.

inline constexpr std::size_t kMaxClusterTasks = 200'000;
inline constexpr std::size_t kMaxClusterAgents = 50'000;
inline constexpr std::size_t kMaxClusterFrameworks = 10'000;
inline constexpr std::size_t kMaxClusterMasters = 64;
/// Memory that one task, framework or agent may take once decoded, as far as it is counted.
inline constexpr std::size_t kMaxRecordBytes = 4 << 20;
inline constexpr std::size_t kMaxPortTextBytes = 16 << 10;  ///< `/state`'s ports of a task
inline constexpr std::size_t kMaxRejectedPerRecord = 16;    ///< kept for people
inline constexpr std::size_t kMaxRejectedEvents = 64;       ///< the last ones that name no record

}  // namespace viaduct::mesos
