#include "tests/bench/dns/load.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <utility>

namespace viaduct::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{100};  // for an answer, before it counts as lost

/// The folders in /proc of the threads.
std::vector<std::string> folders_of(const Threads& threads) {
  std::vector<std::string> found;
  for (const std::string& process : threads.processes) {
    const std::string folder = "/proc/" + process + "/task/";
    DIR* tasks = ::opendir(folder.c_str());
    while (const dirent* entry = tasks ? ::readdir(tasks) : nullptr) {
      std::string name;
      std::getline(std::ifstream(folder + entry->d_name + "/comm"), name);
      if (entry->d_name[0] != '.' && name.starts_with(threads.prefix))
        found.push_back(folder + entry->d_name);
    }
    if (tasks) ::closedir(tasks);
  }
  return found;
}

void pin(pid_t thread, unsigned core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  ::sched_setaffinity(thread, sizeof cores, &cores);
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

Latency latency_of(std::vector<double>& times, unsigned asked) {
  if (times.empty()) return {0, 0, asked};
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 99 / 100],
          asked - static_cast<unsigned>(times.size())};
}

}  // namespace

int Buffers::receive(int fd, int flags, bool with_peers) {
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

std::uint64_t Threads::cpu_ns() const {
  std::uint64_t sum = 0;
  for (const std::string& folder : folders_of(*this)) {
    std::uint64_t ns = 0;
    std::ifstream(folder + "/schedstat") >> ns;
    sum += ns;
  }
  return sum;
}

void Threads::pin(unsigned core) const {
  for (const std::string& folder : folders_of(*this))
    bench::pin(std::atoi(folder.c_str() + folder.rfind('/') + 1), core);
}

void pin_this_thread(unsigned core) { pin(0, core); }

std::string host(unsigned i) { return "service-" + std::to_string(i) + ".marathon"; }

std::vector<test::Octets> make_queries(unsigned hosts, const std::string& zone) {
  std::vector<test::Octets> queries;
  for (unsigned i = 0; i < hosts; ++i)
    queries.push_back(
        test::MessageBuilder(static_cast<std::uint16_t>(i)).question(host(i) + zone, dns::Type::a));
  std::shuffle(queries.begin(), queries.end(), std::mt19937(1));
  return queries;
}

base::Fd connect_to(const base::Endpoint& server) {
  base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int size = 4 << 20;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  const timeval patience{0, std::chrono::microseconds(kPatience).count()};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(server.port);
  to.sin_addr.s_addr = htonl(server.address.v4_value());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) std::abort();
  return fd;
}

Figures saturate(const base::Endpoint& server, const Threads& threads,
                 std::vector<test::Octets>& queries, std::chrono::milliseconds time) {
  const base::Fd fd = connect_to(server);
  auto buffers = std::make_unique<Buffers>();
  std::size_t next = 0;
  unsigned in_flight = 0;
  std::uint64_t answers = 0;
  const std::uint64_t cpu_before = threads.cpu_ns();
  const auto begin = Clock::now();
  while (Clock::now() - begin < time) {
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
  const std::chrono::duration<double> seconds = Clock::now() - begin;
  const auto cpu = static_cast<double>(threads.cpu_ns() - cpu_before);
  const auto answered = static_cast<double>(std::max<std::uint64_t>(answers, 1));
  return {cpu / answered, answered / seconds.count()};
}

/// Each query is told by its id when it comes back, however late.
Latency ask_at_rate(const base::Endpoint& server, std::vector<test::Octets>& queries,
                    unsigned per_second, std::chrono::milliseconds time) {
  const base::Fd fd = connect_to(server);
  const auto interval = std::chrono::nanoseconds(1'000'000'000 / per_second);
  std::vector<Clock::time_point> sent(65536);
  std::vector<double> times;
  std::uint16_t id = 0;
  unsigned asked = 0;
  const auto begin = Clock::now();
  auto next = begin;
  test::Octets answer(1232);
  while (Clock::now() - begin < time + std::chrono::milliseconds(100)) {
    const auto now = Clock::now();
    if (now >= next && now - begin < time) {
      test::Octets& query = queries[asked++ % queries.size()];
      dns::write16(query.data(), ++id);
      sent[id] = now;
      ::send(fd.get(), query.data(), query.size(), 0);
      next += interval;
    }
    while (::recv(fd.get(), answer.data(), answer.size(), MSG_DONTWAIT) >= 12) {
      const std::chrono::duration<double, std::micro> took =
          Clock::now() - sent[dns::read16(answer.data())];
      times.push_back(took.count());
    }
  }
  return latency_of(times, asked);
}

Turns ask_in_turn(const base::Endpoint& server, std::vector<test::Octets>& queries,
                  std::chrono::milliseconds time) {
  const base::Fd fd = connect_to(server);
  std::vector<double> times;
  std::uint16_t id = 0;
  unsigned asked = 0;
  test::Octets answer(1232);
  const auto begin = Clock::now();
  auto sent = begin;
  while (sent - begin < time) {
    test::Octets& query = queries[asked++ % queries.size()];
    dns::write16(query.data(), ++id);
    sent = Clock::now();
    ::send(fd.get(), query.data(), query.size(), 0);
    auto now = sent;
    for (bool answered = false; !answered && now - sent < kPatience; now = Clock::now()) {
      const bool came = ::recv(fd.get(), answer.data(), answer.size(), MSG_DONTWAIT) >= 12;
      answered = came && dns::read16(answer.data()) == id;
      if (answered)
        times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
    }
  }
  const std::chrono::duration<double> seconds = Clock::now() - begin;
  return {static_cast<double>(times.size()) / seconds.count(), latency_of(times, asked)};
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

}  // namespace viaduct::bench
