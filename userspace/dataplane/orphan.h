#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"

namespace viaduct::dataplane {

/// A TCP or UDP socket that a socket hook connected to a backend.
struct ConnectedSocket {
  std::uint32_t netns = 0;   ///< its network namespace: the inode number of /proc/PID/ns/net
  std::uint64_t cookie = 0;  ///< SO_COOKIE
  base::Protocol protocol = base::Protocol::tcp;
  base::Endpoint local;
  base::Endpoint backend;
  std::uint32_t bound_ifindex = 0;  ///< SO_BINDTODEVICE; 0: any device
  std::uint32_t backend_id = 0;
  std::uint32_t backend_generation = 0;

  bool operator==(const ConnectedSocket&) const = default;
};

/// Picks, of all connected sockets, those whose backend is gone.
class OrphanSearch {
 public:
  /// Whether the maps still hold that backend, drained or not: its id with that generation.
  using IsHeld = std::function<bool(std::uint32_t id, std::uint32_t generation)>;

  /// @param limit  most orphans that are kept; the next search finds the others.
  OrphanSearch(IsHeld is_held, std::size_t limit) : is_held_(std::move(is_held)), limit_(limit) {}

  void see(const ConnectedSocket& socket);

  /// The orphans by network namespace, for destroying them is a matter of each.
  const std::map<std::uint32_t, std::vector<ConnectedSocket>>& by_netns() const {
    return by_netns_;
  }
  /// Whether there were more than the limit.
  bool has_more() const { return has_more_; }

 private:
  IsHeld is_held_;
  std::size_t limit_;
  std::size_t kept_ = 0;
  bool has_more_ = false;
  std::map<std::uint32_t, std::vector<ConnectedSocket>> by_netns_;
};

/// Bytes of a request to sock_diag: nlmsghdr (16) and inet_diag_req_v2 (56), see sock_diag(7).
using DestroyRequest = std::array<std::uint8_t, 72>;

/// Asks the kernel to destroy one socket (SOCK_DESTROY) and to acknowledge it. The cookie keeps any
/// other socket of the same addresses safe. IPv4 backends are asked for as such, whatever the
/// family of the socket: the kernel then finds IPv6 sockets with mapped addresses too.
/// @param sequence  comes back in the answer.
DestroyRequest destroy_request(const ConnectedSocket& socket, std::uint32_t sequence);

/// The kernel's answer to the request of that sequence.
/// @return 0: destroyed; else an errno: ENOENT: the socket is gone already; EOPNOTSUPP: this kernel
/// destroys no sockets. Absent: the message is something else.
std::optional<int> destroy_answer(std::span<const std::uint8_t> message, std::uint32_t sequence);

}  // namespace viaduct::dataplane
