// SPDX-License-Identifier: Apache-2.0
// Blocking sockets for tests, with a time limit on each wait.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace viaduct::bpftest {

// A socket address of either family; "::ffff:a.b.c.d" makes an IPv4-mapped AF_INET6 one.
struct SockAddr {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  SockAddr() = default;
  SockAddr(const std::string& address, std::uint16_t port) {
    if (address.find(':') == std::string::npos) {
      auto* in = reinterpret_cast<sockaddr_in*>(&storage);
      in->sin_family = AF_INET;
      in->sin_port = htons(port);
      inet_pton(AF_INET, address.c_str(), &in->sin_addr);
      size = sizeof *in;
    } else {
      auto* in6 = reinterpret_cast<sockaddr_in6*>(&storage);
      in6->sin6_family = AF_INET6;
      in6->sin6_port = htons(port);
      inet_pton(AF_INET6, address.c_str(), &in6->sin6_addr);
      size = sizeof *in6;
    }
  }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  std::uint16_t port() const {
    if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  }
  std::string text() const {
    char out[INET6_ADDRSTRLEN] = "";
    if (family() == AF_INET)
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, out,
                sizeof out);
    else
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, out,
                sizeof out);
    return std::string(out) + " " + std::to_string(port());
  }
};

class Socket {
 public:
  Socket(int family, int type) : Socket(socket(family, type | SOCK_CLOEXEC, 0)) {}
  explicit Socket(int fd) : fd_(fd) {
    const timeval limit{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);  // connect() too
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // 0 or the errno.
  int bind(const SockAddr& at) { return ::bind(fd_, at.get(), at.size) == 0 ? 0 : errno; }
  int connect(const SockAddr& to) { return ::connect(fd_, to.get(), to.size) == 0 ? 0 : errno; }
  int disconnect() {
    SockAddr none;
    none.storage.ss_family = AF_UNSPEC;
    none.size = sizeof(sockaddr);
    return connect(none);
  }
  int send(const std::string& data) {
    return ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL) < 0 ? errno : 0;
  }
  int send_to(const std::string& data, const SockAddr& to) {
    return sendto(fd_, data.data(), data.size(), 0, to.get(), to.size) < 0 ? errno : 0;
  }
  // Data and its source; the data is "error N" on failure.
  std::pair<std::string, SockAddr> receive() {
    char data[256];
    SockAddr from;
    const ssize_t n = recvfrom(fd_, data, sizeof data, 0, from.get(), &from.size);
    if (n < 0) return {"error " + std::to_string(errno), from};
    return {std::string(data, static_cast<std::size_t>(n)), from};
  }
  // A connection and its peer; the descriptor is negative on failure.
  std::pair<Socket, SockAddr> accept() {
    SockAddr from;
    const int fd = accept4(fd_, from.get(), &from.size, SOCK_CLOEXEC);
    return {Socket(fd), from};
  }
  std::string peer() {
    SockAddr out;
    if (getpeername(fd_, out.get(), &out.size) != 0) return "error " + std::to_string(errno);
    return out.text();
  }
  SockAddr local() {
    SockAddr out;
    getsockname(fd_, out.get(), &out.size);
    return out;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace viaduct::bpftest
