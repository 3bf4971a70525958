#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <thread>
#include <vector>

#include "base/address.h"
#include "base/io/fd.h"
#include "tests/io/dns/client.h"
#include "tests/support/dns_reply.h"

namespace viaduct::test {

/// One message that an upstream sends back.
struct ScriptedReply {
  Octets message;
  std::chrono::milliseconds delay{0};
  bool other_port = false;  ///< UDP: from a socket that was not asked
};
/// What an upstream sends back for a query; it may be nothing or several messages.
using Script = std::function<std::vector<ScriptedReply>(const Octets& query, bool tcp)>;

/// A DNS server on 127.0.0.1, over UDP and TCP on one port, that does what its script says.
class ScriptedUpstream {
 public:
  explicit ScriptedUpstream(Script script, bool with_tcp = true) : script_(std::move(script)) {
    bind_both(with_tcp);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~ScriptedUpstream() {
    thread_.request_stop();
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }

  base::Endpoint endpoint() const { return {loopback4(), port_}; }
  std::uint64_t asked_udp() const { return asked_udp_; }
  std::uint64_t asked_tcp() const { return asked_tcp_; }
  std::uint64_t connections() const { return connections_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    base::Fd fd;
    Octets in;
  };
  struct Due {
    int fd;
    sockaddr_in to;  ///< family 0: a stream
    Octets message;
  };

  static base::Fd open(int type, std::uint16_t port) {
    base::Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int bytes = 8 << 20;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) return base::Fd();
    return fd;
  }

  void bind_both(bool with_tcp) {
    for (int i = 0; i < 100; ++i) {
      udp_ = open(SOCK_DGRAM, 0);
      sockaddr_in at{};
      socklen_t size = sizeof at;
      ::getsockname(udp_.get(), reinterpret_cast<sockaddr*>(&at), &size);
      port_ = ntohs(at.sin_port);
      other_ = open(SOCK_DGRAM, 0);
      if (!with_tcp) return;
      listener_ = open(SOCK_STREAM, port_);
      if (listener_ && ::listen(listener_.get(), 64) == 0) return;
    }
    throw std::runtime_error("no port for a scripted upstream");
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}, {udp_.get(), POLLIN, 0}};
      if (listener_) fds.push_back({listener_.get(), POLLIN, 0});
      for (const Connection& connection : connections_open_)
        fds.push_back({connection.fd.get(), POLLIN, 0});
      int wait = 1000;
      if (!due_.empty())
        wait = static_cast<int>(std::max<long>(
            0, std::chrono::ceil<std::chrono::milliseconds>(due_.begin()->first - Clock::now())
                   .count()));
      ::poll(fds.data(), fds.size(), wait);
      take_datagrams();
      if (listener_) take_streams();
      send_due();
    }
  }

  void take_datagrams() {
    Octets query(4096);
    for (int i = 0; i < 64; ++i) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t octets = ::recvfrom(udp_.get(), query.data(), query.size(), 0,
                                        reinterpret_cast<sockaddr*>(&from), &size);
      if (octets < 0) return;
      ++asked_udp_;
      reply({query.begin(), query.begin() + octets}, udp_.get(), from);
    }
  }

  void take_streams() {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      connections_open_.push_back({base::Fd(fd), {}});
      ++connections_;
    }
    for (auto at = connections_open_.begin(); at != connections_open_.end();)
      at = read(*at) ? std::next(at) : connections_open_.erase(at);
  }

  bool read(Connection& connection) {
    Octets octets(65536);
    const ssize_t count = ::recv(connection.fd.get(), octets.data(), octets.size(), 0);
    if (count == 0) return false;
    if (count < 0) return errno == EAGAIN;
    connection.in.insert(connection.in.end(), octets.begin(), octets.begin() + count);
    while (connection.in.size() >= 2) {
      const std::size_t length = dns::read16(connection.in.data());
      if (connection.in.size() < 2 + length) break;
      const auto begin = connection.in.begin() + 2;
      ++asked_tcp_;
      reply({begin, begin + static_cast<std::ptrdiff_t>(length)}, connection.fd.get(), {});
      connection.in.erase(connection.in.begin(), begin + static_cast<std::ptrdiff_t>(length));
    }
    return true;
  }

  void reply(const Octets& query, int fd, const sockaddr_in& from) {
    for (ScriptedReply& one : script_(query, from.sin_family == 0)) {
      Due due{one.other_port ? other_.get() : fd, from,
              from.sin_family == 0 ? framed(one.message) : one.message};
      if (one.delay.count() == 0)
        send(due);
      else
        due_.emplace(Clock::now() + one.delay, std::move(due));
    }
  }

  void send_due() {
    while (!due_.empty() && due_.begin()->first <= Clock::now()) {
      send(due_.begin()->second);
      due_.erase(due_.begin());
    }
  }

  static void send(const Due& due) {
    if (due.to.sin_family == 0)
      ::send(due.fd, due.message.data(), due.message.size(), MSG_NOSIGNAL);
    else
      ::sendto(due.fd, due.message.data(), due.message.size(), 0,
               reinterpret_cast<const sockaddr*>(&due.to), sizeof due.to);
  }

  const Script script_;
  base::Fd udp_, other_, listener_;
  base::Fd wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::uint16_t port_ = 0;
  std::list<Connection> connections_open_;
  std::multimap<Clock::time_point, Due> due_;
  std::atomic<std::uint64_t> asked_udp_ = 0, asked_tcp_ = 0, connections_ = 0;
  std::jthread thread_;
};

inline Script honest(std::uint32_t ttl = 300) {
  return [ttl](const Octets& query, bool) {
    return std::vector<ScriptedReply>{{honest_reply(query, ttl)}};
  };
}
inline Script slow(std::chrono::milliseconds delay) {
  return [delay](const Octets& query, bool) {
    return std::vector<ScriptedReply>{{honest_reply(query), delay}};
  };
}
inline Script dead() {
  return [](const Octets&, bool) { return std::vector<ScriptedReply>{}; };
}
/// Each falsehood leads to 203.0.113.66.
inline Script lying() {
  return [](const Octets& query, bool) {
    constexpr std::uint32_t kFalse = 0xcb007142;
    const auto id = dns::read16(query.data());
    Octets other = ReplyBuilder(query).address(kFalse);
    other[13] = static_cast<std::uint8_t>(other[13] == 'x' ? 'y' : 'x');
    return std::vector<ScriptedReply>{
        {ReplyBuilder(query).id(static_cast<std::uint16_t>(id + 1)).address(kFalse)},
        {other},
        {ReplyBuilder(query).address(kFalse), {}, true},
        {ReplyBuilder(query, 0x0100).address(kFalse)}};
  };
}
/// Octets without sense, behind a right header and question too.
inline Script garbage() {
  return [](const Octets& query, bool) {
    Octets noise(200);
    for (std::size_t i = 0; i < noise.size(); ++i)
      noise[i] = static_cast<std::uint8_t>(i * 37 + query[1]);
    Octets behind = ReplyBuilder(query).tail(noise);
    dns::write16(&behind[6], 3);
    return std::vector<ScriptedReply>{{noise}, {{1, 2, 3}}, {behind}};
  };
}
/// Says TC over UDP and answers over TCP.
inline Script truncating() {
  return [](const Octets& query, bool tcp) {
    return std::vector<ScriptedReply>{
        {tcp ? honest_reply(query) : ReplyBuilder(query, 0x8380).take()}};
  };
}
inline Script error_code(std::uint16_t rcode) {
  return [rcode](const Octets& query, bool) {
    return std::vector<ScriptedReply>{
        {ReplyBuilder(query, static_cast<std::uint16_t>(0x8180 | rcode))}};
  };
}

}  // namespace viaduct::test
