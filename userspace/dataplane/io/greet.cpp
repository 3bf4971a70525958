#include "dataplane/io/greet.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/io/fd.h"

namespace viaduct::dataplane {
namespace {

constexpr std::uint16_t kDiscard = 9;

}  // namespace

void greet(const base::Address& machine) {
  const base::Fd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return;
  const int both = 0;
  setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both));
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(kDiscard);
  std::copy(machine.mapped().begin(), machine.mapped().end(), to.sin6_addr.s6_addr);
  (void)sendto(fd.get(), nullptr, 0, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
}

}  // namespace viaduct::dataplane
