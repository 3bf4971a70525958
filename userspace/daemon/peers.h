#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace viaduct::daemon {

/// A node that was a member; it is dialled after a start until it answers.
struct Peer {
  std::string name;
  base::Endpoint endpoint;

  bool operator==(const Peer&) const = default;
};

inline constexpr std::size_t kMaxPeersBytes = 8 << 20;
inline constexpr std::size_t kMaxPeers = 16'384;

/// JSON: {"version":1,"peers":[{"name":"node-1","endpoint":"192.0.2.1:7946"}]}.
std::string write_peers(const std::vector<Peer>& peers);
/// @errors base::Errc::bad_format, too_large; the context says what is wrong. All or nothing.
base::Result<std::vector<Peer>> read_peers(std::string_view text);

}  // namespace viaduct::daemon
