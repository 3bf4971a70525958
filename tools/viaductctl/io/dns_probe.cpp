#include "tools/viaductctl/dns_probe.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <system_error>

#include "base/io/fd.h"
#include "tools/viaductctl/io/facts.h"

namespace viaduct::ctl {
namespace {

constexpr int kTimeoutMs = 1000;

std::string connect_to(int fd, const base::Endpoint& server) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  const auto octets = server.address.octets();
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port = htons(server.port);
  v6.sin6_family = AF_INET6;
  const bool is_v4 = server.address.is_v4();
  std::memcpy(is_v4 ? static_cast<void*>(&v4.sin_addr) : &v6.sin6_addr, octets.data(),
              octets.size());
  const int rc = is_v4 ? ::connect(fd, reinterpret_cast<const sockaddr*>(&v4), sizeof(v4))
                       : ::connect(fd, reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  return rc == 0 ? "" : "cannot be reached: " + std::generic_category().message(errno);
}

}  // namespace

std::string ask_dns(const base::Endpoint& server) {
  const base::Fd fd(
      ::socket(server.address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return "no socket: " + std::generic_category().message(errno);
  if (const std::string error = connect_to(fd.get(), server); !error.empty()) return error;
  const auto id = static_cast<std::uint16_t>(std::random_device{}());
  const auto query = soa_query(id);
  if (::send(fd.get(), query.data(), query.size(), 0) < 0)
    return "cannot be asked: " + std::generic_category().message(errno);
  pollfd ready{fd.get(), POLLIN, 0};
  if (::poll(&ready, 1, kTimeoutMs) == 0) return "does not answer within a second";
  std::array<std::uint8_t, 512> reply;
  const ssize_t size = ::recv(fd.get(), reply.data(), reply.size(), 0);
  if (size < 0) return "does not answer: " + std::generic_category().message(errno);
  return judge_soa_reply(std::span(reply).first(static_cast<std::size_t>(size)), id);
}

}  // namespace viaduct::ctl
