// Asks a server that runs already, from the network namespace that it is started in; dns_veth.py
// does so on both sides of a veth.
//
//   dns_veth SERVER KIND MILLISECONDS NAMES ZONE PID
//
// KIND: "turn" (one query outstanding), "saturated" (256 outstanding) or "rate" (10,000 a second).
// The names are service-N.marathon.ZONE. Pins itself to core 1 and the UDP worker of the viaductd
// PID to core 0. Prints one JSON object.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/bench/dns/load.h"

namespace viaduct::bench {
namespace {

constexpr unsigned kRate = 10'000;

/// Kernel threads that handle packets when nobody else does, one a core: their ids.
std::vector<std::string> packet_threads() {
  std::vector<std::string> found;
  for (int id = 1; id < 1000; ++id) {
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(id) + "/comm"), name);
    if (name.starts_with("ksoftirqd/")) found.push_back(std::to_string(id));
  }
  return found;
}

void print(const Latency& latency) {
  std::printf("\"p50_us\": %.2f, \"p99_us\": %.2f, \"lost\": %u", latency.p50_us, latency.p99_us,
              latency.lost);
}

int run(const base::Endpoint& server, const std::string& kind, std::chrono::milliseconds time,
        std::vector<test::Octets> queries, const std::string& process) {
  const Threads worker{{process}, "vd-dns-0"}, self{{"self"}, ""}, kernel{packet_threads(), ""};
  pin_this_thread(1);
  worker.pin(0);
  if (kind == "turn") {
    const Turns turns = ask_in_turn(server, queries, time);
    std::printf("{\"queries_per_second\": %.0f, ", turns.queries_per_second);
    print(turns.latency);
  } else if (kind == "rate") {
    std::printf("{");
    print(ask_at_rate(server, queries, kRate, time));
  } else {
    const std::uint64_t client_before = self.cpu_ns(), kernel_before = kernel.cpu_ns();
    const Figures figures = saturate(server, worker, queries, time);
    const double answers = figures.queries_per_second * static_cast<double>(time.count()) / 1000;
    std::printf(
        "{\"queries_per_second\": %.0f, \"worker_ns\": %.0f, \"client_ns\": %.0f, "
        "\"kernel_thread_ns\": %.0f",
        figures.queries_per_second, figures.cpu_ns_per_query,
        static_cast<double>(self.cpu_ns() - client_before) / answers,
        static_cast<double>(kernel.cpu_ns() - kernel_before) / answers);
  }
  std::printf("}\n");
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) {
  using namespace viaduct;
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto server = words.size() == 6 ? base::Address::parse(words[0]) : std::nullopt;
  const int milliseconds = server ? std::atoi(words[2].c_str()) : 0;
  const int names = server ? std::atoi(words[3].c_str()) : 0;
  const bool known =
      server && (words[1] == "turn" || words[1] == "saturated" || words[1] == "rate");
  if (!known || !server->is_v4() || milliseconds <= 0 || names <= 0) {
    std::fprintf(stderr,
                 "usage: dns_veth SERVER turn|saturated|rate MILLISECONDS NAMES ZONE PID\n");
    return 1;
  }
  return bench::run({*server, 53}, words[1], std::chrono::milliseconds(milliseconds),
                    bench::make_queries(static_cast<unsigned>(names), "." + words[4]), words[5]);
}
