// What a UDP query costs: our server beside a bare recvmmsg/sendmmsg echo, which is the floor of
// any server, and beside other servers that run already.
//
//   dns_user_space [ROUNDS [ZONE] [NAME=PID,...@PORT...]]
//
// One generator keeps 256 queries for 10,000 names in flight. Servers and generator have a core
// each; rounds of all servers alternate, so that a slow phase of the machine meets each. The figure
// is the scheduled time of the server's threads per answer, so neither the generator nor other load
// is in it. Then each is asked 10,000 times a second. Other servers have the names
// service-N.marathon.ZONE; dns_peers.py starts them.

#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "dns/io/listen_socket.h"
#include "dns/io/server.h"
#include "dns/io/thread.h"
#include "tests/bench/dns/load.h"

namespace viaduct::bench {
namespace {

constexpr unsigned kNames = 10'000;
constexpr std::chrono::milliseconds kRound{500};
constexpr std::chrono::milliseconds kRateTime{2000};
constexpr unsigned kRate = 10'000;

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

std::shared_ptr<const dns::Table> make_table() {
  std::vector<service::NamedVip> names;
  for (unsigned i = 0; i < kNames; ++i)
    names.push_back({host(i), {base::Address::v4(0x0b000000 + i)}});
  service::Snapshot snapshot;
  snapshot.complete = true;
  snapshot.names = std::move(names);
  return dns::build_table(snapshot, {}).table;
}

struct Contender {
  std::string name;
  base::Endpoint endpoint;
  Threads threads;
  std::vector<test::Octets> queries;
  std::vector<double> cpu, rate, ratio, p50, p99;
};

/// "knot=1234,1235@5301".
Contender peer(const std::string& text, const std::string& zone) {
  const auto equals = text.find('='), at = text.find('@');
  Contender made;
  made.name = text.substr(0, equals);
  made.threads.processes.clear();
  std::stringstream ids(text.substr(equals + 1, at - equals - 1));
  for (std::string id; std::getline(ids, id, ',');) made.threads.processes.push_back(id);
  const auto port = static_cast<std::uint16_t>(std::atoi(text.substr(at + 1).c_str()));
  made.endpoint = {base::Address::v4(0x7f000001), port};
  made.queries = make_queries(kNames, zone);
  return made;
}

int run(int rounds, const std::string& zone, const std::vector<std::string>& peers) {
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
  const auto ours = make_queries(kNames, ".l4lb.thisdcos.directory");
  std::vector<Contender> all;
  all.push_back({"echo", echo.endpoint(), {{"self"}, "floor"}, ours, {}, {}, {}, {}, {}});
  all.push_back(
      {"viaduct", server.listening().front(), {{"self"}, "vd-dns"}, ours, {}, {}, {}, {}, {}});
  for (const std::string& text : peers) all.push_back(peer(text, "." + zone));
  for (const Contender& one : all) one.threads.pin(0);
  pin_this_thread(std::thread::hardware_concurrency() > 1 ? 1 : 0);
  for (int i = 0; i < rounds; ++i)
    for (Contender& one : all) {
      const Figures figures = saturate(one.endpoint, one.threads, one.queries, kRound);
      one.cpu.push_back(figures.cpu_ns_per_query);
      one.rate.push_back(figures.queries_per_second);
      one.ratio.push_back(figures.cpu_ns_per_query / all.front().cpu.back());
    }
  for (int i = 0; i < 3; ++i)
    for (Contender& one : all) {
      const Latency latency = ask_at_rate(one.endpoint, one.queries, kRate, kRateTime);
      one.p50.push_back(latency.p50_us);
      one.p99.push_back(latency.p99_us);
    }
  std::printf("%-10s %12s %8s %12s %22s\n", "server", "cpu ns/query", "of echo", "queries/s",
              "p50/p99 us at 10,000/s");
  for (const Contender& one : all)
    std::printf("%-10s %12.0f %8.2f %12.0f %13.0f /%7.0f\n", one.name.c_str(), median(one.cpu),
                median(one.ratio), median(one.rate), median(one.p50), median(one.p99));
  std::printf("cpu per query against the echo, median of %d rounds: %.2f (budget 1.15)\n", rounds,
              median(all[1].ratio));
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const int rounds = arguments.empty() ? 15 : std::max(1, std::atoi(arguments[0].c_str()));
  const std::string zone = arguments.size() > 1 ? arguments[1] : "l4lb.thisdcos.directory";
  return viaduct::bench::run(
      rounds, zone,
      {arguments.begin() +
           std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(arguments.size())),
       arguments.end()});
}
