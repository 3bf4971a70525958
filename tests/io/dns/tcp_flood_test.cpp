// 10,000 TCP connections that never say a whole word, or never listen, beside a UDP client.

#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "dns/tcp_framer.h"
#include "tests/io/dns/client.h"

/// Of the sanitizers' run-time; absent without.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));

namespace viaduct::dns {
namespace {

using namespace std::chrono_literals;
using test::Client;
using test::Octets;
using Clock = std::chrono::steady_clock;

constexpr unsigned kConnections = 10'000;
constexpr unsigned kPerClient = 25;       // of one client address
constexpr unsigned kAccepting = 128;      // connections ahead of the server: half its backlog
constexpr unsigned kBigAddresses = 1000;  // of the name that slow readers ask for
constexpr unsigned kBigQueries = 60;      // of a slow reader
constexpr std::size_t kBigAnswerOctets = 512 + 16 * kBigAddresses;
constexpr std::size_t kPieceOctets = kMaxTcpQueryOctets - 14;  // of a message that ends there

/// What the process has allocated, the allocator's own reserves left out.
std::size_t allocated() {
  if (__sanitizer_get_current_allocated_bytes) return __sanitizer_get_current_allocated_bytes();
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// The most that connections within these limits may allocate.
std::size_t allowed(const TcpLimits& limits) {
  // A vector that grows by doubling; of answers there is the one that is filled or that which is
  // sent, and the last answer goes over the limit by all its octets but one.
  const std::size_t answers = 2 * (limits.pending_answer_octets + kBigAnswerOctets);
  const std::size_t query = kMaxTcpQueryOctets + 2;
  const std::size_t objects = 8 * 1024;  // socket, timer, coroutine frames
  return limits.connections * (std::max(answers, query) + query + objects);
}

Octets pipelined(const std::string& name, unsigned count) {
  Octets stream;
  for (unsigned i = 0; i < count; ++i) {
    const Octets query =
        test::framed(test::MessageBuilder(static_cast<std::uint16_t>(i)).question(name, Type::a));
    stream.insert(stream.end(), query.begin(), query.end());
  }
  return stream;
}

service::Snapshot snapshot() {
  service::NamedVip big{"big.marathon", {}};
  for (unsigned i = 0; i < kBigAddresses; ++i)
    big.addresses.push_back(base::Address::v4(0x0b010000 + i));
  service::Snapshot made = test::web_snapshot();
  made.names = {big, {"web.marathon", {base::Address::v4(0x0b000001)}}};
  return made;
}

/// Asks over UDP, one query after the other, until it is ended.
class Asking {
 public:
  explicit Asking(const base::Endpoint& server)
      : client_(server, SOCK_DGRAM), thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) ask();
        }) {}

  /// Ends it.
  void end() {
    thread_.request_stop();
    thread_.join();
  }

  unsigned asked = 0, answered = 0;
  Clock::duration longest{};

 private:
  void ask() {
    const auto id = static_cast<std::uint16_t>(++asked);
    const auto begin = Clock::now();
    const Octets answer = client_.ask(test::web_query(id));
    longest = std::max(longest, Clock::now() - begin);
    const bool right = answer.size() > kHeaderOctets && read16(answer.data()) == id &&
                       (answer[3] & 0x0f) == 0 && read16(&answer[6]) == 1;
    if (right) ++answered;
  }

  Client client_;
  std::jthread thread_;
};

/// Connections that stay open at this end whatever the server does.
class Flood {
 public:
  explicit Flood(const base::Endpoint& server) : server_(server) {
    sockets_.reserve(kConnections);
    piece_ = Octets(kPieceOctets);
    write16(piece_.data(), kMaxTcpQueryOctets);
    // A long message first, alone in what is read: the next read then takes as much.
    big_ = test::framed(Octets(kPieceOctets));
    const Octets queries = pipelined("big.marathon.l4lb.thisdcos.directory", kBigQueries);
    big_.insert(big_.end(), queries.begin(), queries.end());
  }

  /// Connects the next one: a third say nothing, a third stop in mid-message, a third do not read.
  void connect() {
    const std::size_t i = sockets_.size();
    const auto kind = static_cast<unsigned>(i % 3);
    base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_GE(fd.get(), 0) << std::strerror(errno);
    // As over Ethernet: with the 64 KiB of loopback the system itself keeps megabytes of answers.
    const int segment = 1460, room = 2048;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    const auto client = static_cast<std::uint32_t>(i / kPerClient);
    const sockaddr_in from = address(0x7f000100 + (client / 250) * 256 + client % 250 + 1, 0);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
    const sockaddr_in to = address(server_.address.v4_value(), server_.port);
    ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0)
        << "connection " << i << ": " << std::strerror(errno);
    // A server that closes it at once has no use for what is sent.
    if (kind != 0) {
      const Octets& octets = kind == 1 ? piece_ : big_;
      ::send(fd.get(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    sockets_.push_back(std::move(fd));
  }

 private:
  static sockaddr_in address(std::uint32_t value, std::uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_addr.s_addr = htonl(value);
    made.sin_port = htons(port);
    return made;
  }

  base::Endpoint server_;
  Octets piece_, big_;
  std::vector<base::Fd> sockets_;
};

/// Lets the process have so many files while it lives.
class MoreFiles {
 public:
  explicit MoreFiles(rlim_t wanted) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit more{std::max(before_.rlim_cur, wanted), std::max(before_.rlim_max, wanted)};
    enough = ::setrlimit(RLIMIT_NOFILE, &more) == 0;
  }
  ~MoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  bool enough = false;

 private:
  rlimit before_{};
};

TEST(DnsTcpFlood, TenThousandBadClientsHoldBoundedMemoryAndDelayNoUdpAnswer) {
  const MoreFiles files(kConnections + 2000);
  ASSERT_TRUE(files.enough) << "needs " << kConnections + 2000 << " open files";
  Config config = test::loopback_config();
  config.tcp.idle = config.tcp.message = config.tcp.write = 1s;  // else the limits as they are
  Server server(config);
  ASSERT_TRUE(server.start());
  server.publish(test::table_of(snapshot()));
  const base::Endpoint endpoint = server.listening().front();
  {
    Client reader(endpoint, SOCK_STREAM);
    ASSERT_TRUE(reader.send(pipelined("big.marathon.l4lb.thisdcos.directory", 1)));
    const auto answer = reader.receive_message();
    ASSERT_TRUE(answer);
    ASSERT_GT(answer->size(), 16 * kBigAddresses);
    ASSERT_LE(answer->size() + 2, kBigAnswerOctets);
  }
  ASSERT_TRUE(test::eventually([&] { return server.stats().tcp.open == 0; }));
  const TcpStats before = server.stats().tcp;

  Asking asking(endpoint);
  Flood flood(endpoint);
  const std::size_t octets_before = allocated();
  std::size_t most_octets = octets_before;
  const std::size_t bound = octets_before + allowed(config.tcp);
  std::uint64_t most_open = 0;
  const auto look = [&] {
    const TcpStats stats = server.stats().tcp;
    most_octets = std::max(most_octets, allocated());
    most_open = std::max(most_open, stats.open);
    return stats.accepted - before.accepted;
  };
  const auto begin = Clock::now();
  for (unsigned made = 0; made < kConnections && most_octets < bound && !HasFatalFailure();
       ++made) {
    flood.connect();
    while (look() + kAccepting < made && Clock::now() - begin < 60s) std::this_thread::yield();
  }
  const std::chrono::duration<double> connecting = Clock::now() - begin;
  EXPECT_TRUE(test::eventually([&] { return look() == kConnections; }));
  EXPECT_TRUE(test::eventually([&] { return server.stats().tcp.open == 0; }));
  const std::size_t octets_after = allocated();
  const std::chrono::duration<double> all = Clock::now() - begin;
  asking.end();

  const std::size_t growth = most_octets - octets_before;
  const TcpStats stats = server.stats().tcp;
  const std::uint64_t over_limit = stats.over_limit - before.over_limit;
  const std::uint64_t timed_out = stats.timed_out - before.timed_out;
  std::printf(
      "%u connections in %.1f s, all closed after %.1f s: %llu over a limit, %llu timed out, most "
      "open %llu\n%u UDP queries, %u answered, longest %.1f ms\n%.1f MB allocated at most (allowed "
      "%.1f), %.2f MB in the end\n",
      kConnections, connecting.count(), all.count(), static_cast<unsigned long long>(over_limit),
      static_cast<unsigned long long>(timed_out), static_cast<unsigned long long>(most_open),
      asking.asked, asking.answered,
      std::chrono::duration<double, std::milli>(asking.longest).count(),
      static_cast<double>(growth) / 1e6, static_cast<double>(allowed(config.tcp)) / 1e6,
      (static_cast<double>(octets_after) - static_cast<double>(octets_before)) / 1e6);

  EXPECT_EQ(asking.answered, asking.asked);
  EXPECT_GT(asking.asked, 100u);
  EXPECT_LT(growth, allowed(config.tcp));
  EXPECT_LT(octets_after, octets_before + allowed(config.tcp) / 10);
  EXPECT_LE(most_open, config.tcp.connections);
  EXPECT_EQ(over_limit + timed_out, kConnections);
  EXPECT_GT(over_limit, 0u);
  EXPECT_GE(timed_out, config.tcp.connections);
  EXPECT_EQ(stats.broken, 0u);
  EXPECT_EQ(stats.accept_failures, 0u);

  Client client(endpoint, SOCK_STREAM);
  ASSERT_TRUE(client.send(test::framed(test::web_query(9))));
  EXPECT_TRUE(client.receive_message());
}

}  // namespace
}  // namespace viaduct::dns
