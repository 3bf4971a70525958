#pragma once

#include <chrono>
#include <cstddef>

namespace viaduct::zookeeper {

// Of a URL.
inline constexpr std::size_t kMaxUrlBytes = 4096;
inline constexpr std::size_t kMaxServers = 32;
inline constexpr std::size_t kMaxHostBytes = 253;  ///< RFC 1035, 2.3.4, as text

// Of what servers tell. The library has read an answer before it can be measured (README.md).
inline constexpr std::size_t kMaxChildren = 1000;        ///< of the watched path
inline constexpr std::size_t kMaxNodeBytes = 64 * 1024;  ///< of one node's contents
inline constexpr std::size_t kMaxEndpoints = 64;         ///< that the servers' names may have
inline constexpr std::chrono::milliseconds kMaxTimeout{3'600'000};  ///< that a server may set

}  // namespace viaduct::zookeeper
