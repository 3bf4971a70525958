#include "dataplane/io/socket_diag.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace viaduct::dataplane {
namespace {

/// The kernel answers within the call that asks; this is for a bug only.
constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};
constexpr std::size_t kAnswerBytes = 1024;

base::Result<void> probe(SocketDiag& diag, base::Protocol protocol) {
  const bool tcp = protocol == base::Protocol::tcp;
  const base::Fd fd(::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(at);
  const int on = 1;  // the loopback device may be down
  std::uint64_t cookie = 0;
  socklen_t cookie_length = sizeof(cookie);
  if (!fd || setsockopt(fd.get(), IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) != 0 ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0 ||
      (tcp && listen(fd.get(), 1) != 0) ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &length) != 0 ||
      getsockopt(fd.get(), SOL_SOCKET, SO_COOKIE, &cookie, &cookie_length) != 0)
    return base::from_errno(errno, "make a socket to be destroyed");
  ConnectedSocket socket;
  socket.cookie = cookie;
  socket.protocol = protocol;
  socket.local = {base::Address::v4(ntohl(at.sin_addr.s_addr)), ntohs(at.sin_port)};
  return diag.destroy(socket);
}

}  // namespace

base::Result<SocketDiag> SocketDiag::open() {
  base::Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!fd) return base::from_errno(errno, "open sock_diag");
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience)) != 0)
    return base::from_errno(errno, "set a time limit for sock_diag");
  return SocketDiag(std::move(fd));
}

base::Result<void> SocketDiag::destroy(const ConnectedSocket& socket) {
  const auto error = [&](int code) {
    return base::from_errno(
        code, "destroy socket " + socket.local.to_string() + " to " + socket.backend.to_string());
  };
  const DestroyRequest request = destroy_request(socket, ++sequence_);
  if (send(fd_.get(), request.data(), request.size(), 0) < 0) return error(errno);
  std::array<std::uint8_t, kAnswerBytes> answer;
  while (true) {
    const ssize_t got = recv(fd_.get(), answer.data(), answer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error(errno);
    const auto code = destroy_answer({answer.data(), static_cast<std::size_t>(got)}, sequence_);
    if (!code) continue;  // of an earlier request that was given up
    return *code == 0 ? base::Result<void>() : base::Result<void>(error(*code));
  }
}

base::Result<void> probe_destroy() {
  auto diag = SocketDiag::open();
  if (!diag) return diag.error();
  for (const auto protocol : {base::Protocol::tcp, base::Protocol::udp})
    if (auto done = probe(*diag, protocol); !done) return done;
  return {};
}

}  // namespace viaduct::dataplane
