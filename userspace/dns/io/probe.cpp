#include "dns/io/probe.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <system_error>
#include <vector>

#include "base/errors.h"
#include "base/io/fd.h"
#include "base/time.h"
#include "dns/io/socket_address.h"
#include "dns/probe.h"

namespace viaduct::dns {
namespace {

/// A non-blocking socket to a server, and the time until which it is waited for.
class Exchange {
 public:
  Exchange(const base::Endpoint& server, Transport transport, std::chrono::milliseconds patience)
      : server_(server),
        fd_(::socket(
            server.address.is_v4() ? AF_INET : AF_INET6,
            (transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
            0)),
        until_(base::Clock::now() + patience) {}

  bool connect() {
    if (!fd_) return false;
    const SocketAddress address = to_socket_address(server_);
    if (::connect(fd_.get(), address.get(), address.size) == 0) return true;
    if (errno != EINPROGRESS || !wait(POLLOUT)) return false;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    return error == 0;
  }

  bool send(std::span<const std::uint8_t> octets) {
    const ssize_t sent = ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    return sent == static_cast<ssize_t>(octets.size());  // a query fits any send buffer
  }

  /// @return octets received; 0: the peer closed, -1: errno says why not.
  ssize_t receive(std::span<std::uint8_t> to) {
    while (true) {
      const ssize_t size = ::recv(fd_.get(), to.data(), to.size(), 0);
      if (size >= 0 || errno != EAGAIN) return size;
      if (!wait(POLLIN)) return -1;
    }
  }

  bool receive_all(std::span<std::uint8_t> to) {
    while (!to.empty()) {
      const ssize_t size = receive(to);
      if (size == 0) errno = ECONNRESET;
      if (size <= 0) return false;
      to = to.subspan(static_cast<std::size_t>(size));
    }
    return true;
  }

 private:
  bool wait(short events) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until_ - base::Clock::now()).count();
    pollfd ready{fd_.get(), events, 0};
    const int count = left > 0 ? ::poll(&ready, 1, static_cast<int>(left)) : 0;
    if (count == 0) errno = ETIMEDOUT;
    return count > 0;
  }

  base::Endpoint server_;
  base::Fd fd_;
  base::Time until_;
};

}  // namespace

base::Result<std::vector<std::uint8_t>> exchange(const base::Endpoint& server, Transport transport,
                                                 std::span<const std::uint8_t> query,
                                                 std::chrono::milliseconds patience) {
  Exchange with(server, transport, patience);
  const auto failed = [&] { return base::from_errno(errno, "ask " + server.to_string()); };
  if (!with.connect()) return failed();
  std::vector<std::uint8_t> reply;
  if (transport == Transport::udp) {
    if (!with.send(query)) return failed();
    reply.resize(kMaxTcpOctets);
    const ssize_t size = with.receive(reply);
    if (size < 0) return failed();
    reply.resize(static_cast<std::size_t>(size));
    return reply;
  }
  std::vector<std::uint8_t> framed(2);
  write16(framed.data(), static_cast<std::uint16_t>(query.size()));
  framed.insert(framed.end(), query.begin(), query.end());
  std::array<std::uint8_t, 2> length;
  if (!with.send(framed) || !with.receive_all(length)) return failed();
  reply.resize(read16(length.data()));
  if (!with.receive_all(reply)) return failed();
  return reply;
}

std::string probe(const base::Endpoint& server, Transport transport, const Name& name, Type type,
                  std::chrono::milliseconds patience) {
  const auto query = make_query(static_cast<std::uint16_t>(std::random_device{}()), name, type);
  const auto reply = exchange(server, transport, past_the_kernel(query), patience);
  if (reply) return judge_reply(*reply, query);
  const std::string how = transport == Transport::udp ? "" : " over TCP";
  if (reply.error().code == std::make_error_code(std::errc::timed_out))
    return "does not answer" + how + " within " + std::to_string(patience.count()) + " ms";
  return "does not answer" + how + ": " + reply.error().code.message();
}

}  // namespace viaduct::dns
