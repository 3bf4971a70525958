#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace viaduct::dataplane {

/// What the kernel counted for one backend id.
struct Load {
  std::uint32_t open = 0;                     ///< sockets connected to it now
  std::uint64_t connects = 0;                 ///< picks by a socket hook
  std::uint64_t flows = 0;                    ///< flows made by a packet hook
  std::uint64_t packets = 0;                  ///< packets sent to it by a packet hook
  std::uint64_t failures = 0;                 ///< TCP connects that failed
  std::uint32_t ejected_total = 0;            ///< times that it was ejected
  std::chrono::seconds ejected_for{0};        ///< from now on no new connections for so long
  std::uint32_t last_error = 0;               ///< errno of the last failed connect; 0: none failed
  std::chrono::microseconds connect_time{0};  ///< smoothed; 0: not known

  /// last_error in words, e.g. "Connection refused"; empty: none.
  std::string last_error_text() const;
};

}  // namespace viaduct::dataplane
