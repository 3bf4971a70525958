#include "dns/io/listen_socket.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "dns/io/socket_address.h"

namespace viaduct::dns {
namespace {

constexpr int kListenBacklog = 256;
constexpr int kTcpBufferBytes = 32 * 1024;  // the kernel doubles it for its own overhead
constexpr int kPortAttempts = 32;           // to find one port that is free for UDP and TCP

base::Error failed(const char* call, const base::Endpoint& endpoint) {
  return base::from_errno(errno, std::string(call) + " " + endpoint.to_string());
}

bool set_int(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

base::Result<base::Fd> open_bound(const base::Endpoint& endpoint, int type) {
  const bool v4 = endpoint.address.is_v4();
  base::Fd fd(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const char* protocol = type == SOCK_DGRAM ? "open UDP socket for" : "open TCP socket for";
  if (!fd) return failed(protocol, endpoint);
  const bool reusable = type == SOCK_DGRAM ? set_int(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)
                                           : set_int(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  const bool ready = v4 ? set_int(fd.get(), IPPROTO_IP, IP_FREEBIND, 1)
                        : set_int(fd.get(), IPPROTO_IPV6, IPV6_FREEBIND, 1) &&
                              set_int(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (!reusable || !ready) return failed("set options of the socket for", endpoint);
  const SocketAddress address = to_socket_address(endpoint);
  if (::bind(fd.get(), address.get(), address.size) != 0)
    return failed(type == SOCK_DGRAM ? "bind UDP" : "bind TCP", endpoint);
  return fd;
}

base::Result<base::Fd> open_udp(const base::Endpoint& endpoint, int receive_buffer_bytes) {
  base::Result<base::Fd> fd = open_bound(endpoint, SOCK_DGRAM);
  if (!fd) return fd;
  if (!set_int(fd->get(), SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer_bytes))
    set_int(fd->get(), SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes);
  // Answers never set DF and forged ICMP cannot shrink the path MTU.
  if (endpoint.address.is_v4())
    set_int(fd->get(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  else
    set_int(fd->get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
  return fd;
}

base::Result<base::Fd> open_tcp(const base::Endpoint& endpoint) {
  base::Result<base::Fd> fd = open_bound(endpoint, SOCK_STREAM);
  if (!fd) return fd;
  // Connections inherit both, so that neither a slow reader nor a fast writer fills megabytes of
  // the kernel.
  set_int(fd->get(), SOL_SOCKET, SO_SNDBUF, kTcpBufferBytes);
  set_int(fd->get(), SOL_SOCKET, SO_RCVBUF, kTcpBufferBytes);
  if (::listen(fd->get(), kListenBacklog) != 0) return failed("listen on TCP", endpoint);
  return fd;
}

base::Result<ListenSockets> open_once(base::Endpoint endpoint, unsigned workers,
                                      int receive_buffer_bytes) {
  ListenSockets sockets;
  // TCP goes first: a UDP socket takes its share of the queries from the moment it is bound.
  base::Result<base::Fd> tcp = open_tcp(endpoint);
  if (!tcp) return tcp.error();
  sockets.tcp = std::move(*tcp);
  endpoint.port = bound_to(sockets.tcp.get()).port;
  for (unsigned i = 0; i < workers; ++i) {
    base::Result<base::Fd> fd = open_udp(endpoint, receive_buffer_bytes);
    if (!fd) return fd.error();
    sockets.udp.push_back(std::move(*fd));
  }
  sockets.endpoint = endpoint;
  return sockets;
}

}  // namespace

base::Result<ListenSockets> open_listen_sockets(const base::Endpoint& endpoint, unsigned workers,
                                                int receive_buffer_bytes) {
  base::Result<ListenSockets> sockets = open_once(endpoint, workers, receive_buffer_bytes);
  for (int i = 1; endpoint.port == 0 && !sockets && i < kPortAttempts; ++i)
    sockets = open_once(endpoint, workers, receive_buffer_bytes);
  return sockets;
}

base::Endpoint bound_to(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return to_endpoint(storage);
}

std::uint64_t dropped_packets(int fd) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof memory;
  if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0) return 0;
  return memory[SK_MEMINFO_DROPS];
}

}  // namespace viaduct::dns
