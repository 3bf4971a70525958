// CPU time of one UDP query: our server beside a bare recvmmsg/sendmmsg echo, which is the floor of
// any server.
//
//   dns_user_space [ROUNDS]
//
// One generator keeps 256 queries for 10,000 names in flight. Servers and generator have a core
// each; rounds of both servers alternate, so that a slow phase of the machine meets both. The
// figure is the scheduled time of the server's threads per answer, so neither the generator nor
// other load is in it.

#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "dns/io/listen_socket.h"
#include "dns/io/server.h"
#include "dns/io/thread.h"
#include "tests/support/dns_message.h"

namespace viaduct {
namespace {

constexpr unsigned kNames = 10'000;
constexpr unsigned kBatch = 32;
constexpr unsigned kInFlight = 256;
constexpr std::chrono::milliseconds kRound{500};

struct Buffers {
  std::array<std::array<std::uint8_t, 1232>, kBatch> octets;
  std::array<iovec, kBatch> parts;
  std::array<sockaddr_in, kBatch> peers;
  std::array<mmsghdr, kBatch> messages{};

  /// @param with_peers  false on a connected socket.
  int receive(int fd, int flags, bool with_peers) {
    for (unsigned i = 0; i < kBatch; ++i) {
      parts[i] = {octets[i].data(), octets[i].size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      if (with_peers) messages[i].msg_hdr.msg_name = &peers[i];
      if (with_peers) messages[i].msg_hdr.msg_namelen = sizeof peers[i];
    }
    return ::recvmmsg(fd, messages.data(), kBatch, flags, nullptr);
  }
};

/// The floor: everything comes back with QR set.
class Echo {
 public:
  Echo()
      : sockets_(dns::open_listen_sockets({base::Address::v4(0x7f000001), 0}, 1, 4 << 20).value()) {
    thread_ = dns::start_thread("floor", [this](const std::stop_token& stop) { run(stop); });
  }
  base::Endpoint endpoint() const { return sockets_.endpoint; }

 private:
  void run(const std::stop_token& stop) {
    const int fd = sockets_.udp.front().get();
    auto buffers = std::make_unique<Buffers>();
    while (!stop.stop_requested()) {
      const int count = buffers->receive(fd, MSG_DONTWAIT, true);
      if (count <= 0) {
        pollfd poll{fd, POLLIN, 0};
        ::poll(&poll, 1, 50);
        continue;
      }
      for (int i = 0; i < count; ++i) {
        buffers->octets[static_cast<unsigned>(i)][2] |= 0x80;
        buffers->parts[static_cast<unsigned>(i)].iov_len =
            buffers->messages[static_cast<unsigned>(i)].msg_len;
      }
      ::sendmmsg(fd, buffers->messages.data(), static_cast<unsigned>(count), 0);
    }
  }

  dns::ListenSockets sockets_;
  std::jthread thread_;
};

struct Thread {
  std::string id;
  std::string name;
};

std::vector<Thread> threads(const std::string& prefix) {
  std::vector<Thread> found;
  DIR* tasks = ::opendir("/proc/self/task");
  while (const dirent* entry = ::readdir(tasks)) {
    Thread thread{entry->d_name, {}};
    std::getline(std::ifstream("/proc/self/task/" + thread.id + "/comm"), thread.name);
    if (thread.name.starts_with(prefix)) found.push_back(thread);
  }
  ::closedir(tasks);
  return found;
}

/// Scheduled nanoseconds of all threads whose name starts with a prefix.
std::uint64_t cpu_ns(const std::string& prefix) {
  std::uint64_t sum = 0;
  for (const Thread& thread : threads(prefix)) {
    std::uint64_t ns = 0;
    std::ifstream("/proc/self/task/" + thread.id + "/schedstat") >> ns;
    sum += ns;
  }
  return sum;
}

void pin(pid_t thread, unsigned core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  ::sched_setaffinity(thread, sizeof cores, &cores);
}

std::string host(unsigned i) { return "service-" + std::to_string(i) + ".marathon"; }

std::shared_ptr<const dns::Table> make_table() {
  std::vector<service::NamedVip> names;
  for (unsigned i = 0; i < kNames; ++i)
    names.push_back({host(i), {base::Address::v4(0x0b000000 + i)}});
  service::Snapshot snapshot;
  snapshot.complete = true;
  snapshot.names = std::move(names);
  return dns::build_table(snapshot, {}).table;
}

std::vector<test::Octets> make_queries() {
  std::vector<test::Octets> queries;
  for (unsigned i = 0; i < kNames; ++i)
    queries.push_back(test::MessageBuilder(static_cast<std::uint16_t>(i))
                          .question(host(i) + ".l4lb.thisdcos.directory", dns::Type::a));
  std::shuffle(queries.begin(), queries.end(), std::mt19937(1));
  return queries;
}

base::Fd connect_to(const base::Endpoint& server) {
  base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int size = 4 << 20;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  const timeval patience{0, 100'000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(server.port);
  to.sin_addr.s_addr = htonl(server.address.v4_value());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) std::abort();
  return fd;
}

void send_batch(int fd, std::vector<test::Octets>& queries, std::size_t& next) {
  std::array<iovec, kBatch> parts;
  std::array<mmsghdr, kBatch> messages{};
  for (unsigned i = 0; i < kBatch; ++i, next = (next + 1) % queries.size()) {
    parts[i] = {queries[next].data(), queries[next].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  ::sendmmsg(fd, messages.data(), kBatch, 0);
}

struct Figures {
  double cpu_ns_per_query;
  double queries_per_second;
};

Figures run_round(const base::Endpoint& server, const std::string& threads_prefix,
                  std::vector<test::Octets>& queries) {
  const base::Fd fd = connect_to(server);
  auto buffers = std::make_unique<Buffers>();
  std::size_t next = 0;
  unsigned in_flight = 0;
  std::uint64_t answers = 0;
  const std::uint64_t cpu_before = cpu_ns(threads_prefix);
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < kRound) {
    for (; in_flight + kBatch <= kInFlight; in_flight += kBatch)
      send_batch(fd.get(), queries, next);
    const int count = buffers->receive(fd.get(), MSG_WAITFORONE, false);
    if (count <= 0) {
      in_flight = 0;  // lost
      continue;
    }
    answers += static_cast<unsigned>(count);
    in_flight -= std::min(in_flight, static_cast<unsigned>(count));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  const auto cpu = static_cast<double>(cpu_ns(threads_prefix) - cpu_before);
  return {cpu / static_cast<double>(answers), static_cast<double>(answers) / seconds.count()};
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

int run(int rounds) {
  dns::Config config;
  config.listen = {base::Address::v4(0x7f000001)};
  config.port = 0;
  config.watch = std::chrono::hours(1);  // nobody else asks meanwhile
  dns::Server server(config);
  if (const auto started = server.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().message().c_str());
    return 1;
  }
  server.publish(make_table());
  const Echo echo;
  std::vector<test::Octets> queries = make_queries();
  for (const char* prefix : {"vd-dns", "floor"})
    for (const Thread& thread : threads(prefix)) pin(std::atoi(thread.id.c_str()), 0);
  pin(0, std::thread::hardware_concurrency() > 1 ? 1 : 0);

  std::vector<double> ours, floor, ratios, ours_rate, floor_rate;
  for (int i = 0; i < rounds; ++i) {
    const Figures a = run_round(echo.endpoint(), "floor", queries);
    const Figures b = run_round(server.listening().front(), "vd-dns", queries);
    floor.push_back(a.cpu_ns_per_query);
    floor_rate.push_back(a.queries_per_second);
    ours.push_back(b.cpu_ns_per_query);
    ours_rate.push_back(b.queries_per_second);
    ratios.push_back(b.cpu_ns_per_query / a.cpu_ns_per_query);
  }
  std::printf("%-10s %12s %12s\n", "server", "cpu ns/query", "queries/s");
  std::printf("%-10s %12.0f %12.0f\n", "echo", median(floor), median(floor_rate));
  std::printf("%-10s %12.0f %12.0f\n", "viaduct", median(ours), median(ours_rate));
  std::printf("cpu per query against the echo, median of %d rounds: %.2f (budget 1.15)\n", rounds,
              median(ratios));
  return 0;
}

}  // namespace
}  // namespace viaduct

int main(int argc, char** argv) {
  return viaduct::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 15);
}
