#include "daemon/io/node.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/io/fd.h"

namespace viaduct::daemon {
namespace {

base::Address from_sockaddr(const sockaddr_in& address) {
  return base::Address::v4(ntohl(address.sin_addr.s_addr));
}

std::optional<base::Address> default_source() {
  const base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr =
      htonl(0xc0000201);  // 192.0.2.1, RFC 5737: only looked up, never sent to
  socklen_t length = sizeof(address);
  if (!fd || connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return std::nullopt;
  return from_sockaddr(address);
}

}  // namespace

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] ? name : "localhost";
}

std::optional<base::Address> detect_address6() {
  const base::Fd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto somewhere = *base::Address::parse("2001:db8::1");  // RFC 3849: only looked up
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(9);
  std::copy(somewhere.mapped().begin(), somewhere.mapped().end(), address.sin6_addr.s6_addr);
  socklen_t length = sizeof(address);
  if (!fd || connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return std::nullopt;
  std::array<std::uint8_t, 16> octets{};
  std::copy(std::begin(address.sin6_addr.s6_addr), std::end(address.sin6_addr.s6_addr),
            octets.begin());
  const auto source = base::Address::v6(octets);
  if (source.is_link_local() || source.is_loopback()) return std::nullopt;
  return source;
}

std::optional<base::Address> detect_address() {
  if (auto source = default_source()) return source;
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(raw, freeifaddrs);
  for (const ifaddrs* one = all.get(); one; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || one->ifa_flags & IFF_LOOPBACK)
      continue;
    const auto address = from_sockaddr(*reinterpret_cast<const sockaddr_in*>(one->ifa_addr));
    if (!address.is_link_local()) return address;
  }
  return std::nullopt;
}

}  // namespace viaduct::daemon
