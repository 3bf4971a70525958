// How fast news travels among ten thousand nodes, or as many as the first argument says.
// Every node knows every other: 10,000 take about 15 GB. One in ten speaks of rows, for what a node
// keeps of each that does is the larger part else; members are told of by all.
//   GLIBC_TUNABLES=glibc.malloc.hugetlb=1 build/bin/bench/gossip_many_nodes [NODES [SEED]]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/sim/figures.h"
#include "tests/sim/simulator.h"

using namespace viaduct::sim;
using namespace std::chrono_literals;
using NodeId = Simulator::NodeId;

namespace {

constexpr NodeId kRowsOf = 10;

NodeId any_running(Simulator& simulator) {
  NodeId node = 0;
  do node = static_cast<NodeId>(simulator.rng().below(simulator.size()));
  while (!simulator.up(node));
  return node;
}

void print_traffic(const Simulator& simulator, const char* what, double duration) {
  const double share = 1 / duration / static_cast<double>(simulator.size());
  std::printf("  %s: %.1f packets and %.0f octets a node and second\n", what,
              static_cast<double>(simulator.traffic().packets) * share,
              static_cast<double>(wire_bytes(simulator.traffic())) * share);
  std::fflush(stdout);
}

void changes(Simulator& simulator) {
  Arrivals arrivals(simulator);
  for (int i = 0; i < 10; ++i) {
    const NodeId owner = any_running(simulator) / kRowsOf * kRowsOf;
    const auto version = publish_row(simulator, owner);
    arrivals.expect([&simulator, owner, version](NodeId node) {
      return node % kRowsOf != 0 || knows(simulator, node, owner, version);
    });
    arrivals.run_for(200ms);
  }
  const bool all = arrivals.finish(30s);
  Figure figure("a change is known everywhere");
  figure.add(arrivals.took());
  figure.print(all ? "1 s at 1,000 nodes" : "NOT ALL ARRIVED");
}

void deaths(Simulator& simulator, std::size_t count, viaduct::base::Duration apart,
            const char* what, const char* bound) {
  Arrivals arrivals(simulator);
  for (std::size_t i = 0; i < count; ++i) {
    const NodeId dead = any_running(simulator);
    simulator.cut(dead);
    arrivals.expect([&simulator, dead](NodeId node) { return masks(simulator, node, dead); });
    if (apart > 0s) arrivals.run_for(apart);
  }
  const bool all = arrivals.finish(60s);
  Figure figure(what);
  figure.add(arrivals.took());
  figure.print(all ? bound : "NOT ALL ARRIVED");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.nodes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000;
  options.seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  Simulator simulator(options);
  for (NodeId node = 0; node < simulator.size(); ++node)
    if (node % kRowsOf != 0) simulator.set_kind(node, Kind::foreign);
  simulator.start_joined();
  std::printf("%zu nodes\n", simulator.size());
  simulator.run_for(5s);
  simulator.reset_traffic();
  simulator.run_for(5s);
  print_traffic(simulator, "idle", 5);
  changes(simulator);
  deaths(simulator, 10, 200ms, "a dead node is masked everywhere", "3 s at 1,000 nodes");
  deaths(simulator, simulator.size() / 100, 0s, "one in a hundred killed at once",
         "10 s for 30 % of 1,000 nodes");
  return 0;
}
