#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/address.h"
#include "base/io/fd.h"
#include "dns/io/server.h"
#include "tests/support/dns_message.h"

namespace viaduct::test {

inline base::Address loopback4() { return base::Address::v4(0x7f000001); }
inline base::Address loopback6() { return *base::Address::parse("::1"); }

/// A server on loopback, on a port that the system chooses.
inline dns::Config loopback_config(base::Address address = loopback4()) {
  dns::Config config;
  config.listen = {address};
  config.port = 0;
  config.watch = std::chrono::hours(1);  // nobody else asks
  return config;
}

/// A complete snapshot in which web.marathon has an address.
inline service::Snapshot web_snapshot() {
  service::Snapshot snapshot;
  snapshot.revision = 1;
  snapshot.complete = true;
  snapshot.names = {{"web.marathon", {base::Address::v4(0x0b000001)}}};
  return snapshot;
}

inline std::shared_ptr<const dns::Table> table_of(const service::Snapshot& snapshot) {
  return dns::build_table(snapshot, {}).table;
}

inline Octets web_query(std::uint16_t id = 1) {
  return MessageBuilder(id).question("web.marathon.l4lb.thisdcos.directory", dns::Type::a);
}

/// A blocking client socket that gives up after five seconds.
class Client {
 public:
  Client(const base::Endpoint& server, int type, int receive_buffer_bytes = 0, int source = 0)
      : fd_(::socket(server.address.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes != 0)
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                   sizeof receive_buffer_bytes);
    const timeval limit{5, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (source != 0) bind_to(source);
    const auto octets = server.address.octets();
    int connected = -1;
    if (server.address.is_v4()) {
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(server.port);
      std::memcpy(&to.sin_addr, octets.data(), octets.size());
      connected = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
    } else {
      sockaddr_in6 to{};
      to.sin6_family = AF_INET6;
      to.sin6_port = htons(server.port);
      std::memcpy(&to.sin6_addr, octets.data(), octets.size());
      connected = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    if (connected != 0)
      throw std::runtime_error("connect " + server.to_string() + ": " + std::strerror(errno));
  }

  int fd() const { return fd_.get(); }

  bool send(const Octets& octets) {
    return ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(octets.size());
  }

  /// One datagram, or what the stream has; empty at the end of the stream and after five seconds.
  Octets receive(std::size_t most = 65536) {
    Octets octets(most);
    const ssize_t count = ::recv(fd_.get(), octets.data(), octets.size(), 0);
    octets.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return octets;
  }

  Octets ask(const Octets& query) { return send(query) ? receive() : Octets{}; }

  /// One framed message of a stream; absent when the stream ends first.
  std::optional<Octets> receive_message() {
    const std::optional<Octets> length = receive_exactly(2);
    return length ? receive_exactly(dns::read16(length->data())) : std::nullopt;
  }

  void half_close() { ::shutdown(fd_.get(), SHUT_WR); }

  /// Whether the server has closed the stream within a time; what it still sends is thrown away.
  bool closed_within(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          end - std::chrono::steady_clock::now());
      pollfd poll{fd_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&poll, 1, static_cast<int>(left.count())) == 0) return false;
      if (receive().empty()) return true;
    }
  }

 private:
  /// @param source  last octet of an address 127.0.0.x.
  void bind_to(int source) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7f000000 + static_cast<unsigned>(source));
    ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from);
  }

  std::optional<Octets> receive_exactly(std::size_t wanted) {
    Octets octets;
    while (octets.size() < wanted) {
      const Octets more = receive(wanted - octets.size());
      if (more.empty()) return std::nullopt;
      octets.insert(octets.end(), more.begin(), more.end());
    }
    return octets;
  }

  base::Fd fd_;
};

inline Octets framed(const Octets& message) {
  Octets octets(2);
  dns::write16(octets.data(), static_cast<std::uint16_t>(message.size()));
  octets.insert(octets.end(), message.begin(), message.end());
  return octets;
}

/// Waits until something holds, at most five seconds.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

inline std::uint64_t count(const std::array<std::uint64_t, dns::kOutcomes>& outcomes,
                           dns::Outcome outcome) {
  return outcomes[static_cast<std::size_t>(outcome)];
}

}  // namespace viaduct::test
