#include "dns/io/socket_address.h"

#include <netinet/in.h>

#include <array>
#include <cstring>

namespace viaduct::dns {

SocketAddress to_socket_address(const base::Endpoint& endpoint) {
  SocketAddress address;
  const auto octets = endpoint.address.octets();
  if (endpoint.address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, octets.data(), octets.size());
    std::memcpy(&address.storage, &in, sizeof in);
    address.size = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(endpoint.port);
    std::memcpy(&in.sin6_addr, octets.data(), octets.size());
    std::memcpy(&address.storage, &in, sizeof in);
    address.size = sizeof in;
  }
  return address;
}

base::Endpoint to_endpoint(const sockaddr_storage& from) {
  base::Endpoint endpoint;
  if (from.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &from, sizeof in);
    endpoint.address = base::Address::v4(ntohl(in.sin_addr.s_addr));
    endpoint.port = ntohs(in.sin_port);
  } else if (from.ss_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &from, sizeof in);
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), &in.sin6_addr, octets.size());
    endpoint.address = base::Address::v6(octets);
    endpoint.port = ntohs(in.sin6_port);
  }
  return endpoint;
}

}  // namespace viaduct::dns
