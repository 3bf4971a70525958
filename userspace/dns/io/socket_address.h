#pragma once

#include <sys/socket.h>

#include "base/address.h"

namespace viaduct::dns {

/// An endpoint as system calls take it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const base::Endpoint& endpoint);

/// The other way; an unspecified endpoint for other families than IPv4 and IPv6.
base::Endpoint to_endpoint(const sockaddr_storage& from);

}  // namespace viaduct::dns
