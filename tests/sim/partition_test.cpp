// A thousand nodes that do not hear each other for a while.

#include <gtest/gtest.h>

#include "tests/sim/figures.h"
#include "tests/sim/seeds.h"
#include "tests/sim/simulator.h"

namespace viaduct::sim {
namespace {

using namespace std::chrono_literals;
using NodeId = Simulator::NodeId;

constexpr std::size_t kNodes = 1000;
/// As many as do not hear others, or are not heard, in a small part.
constexpr NodeId kFew = 30;

/// Ten minutes, if the run is of full length. Then all who were cut off are long forgotten.
void grows_together(std::function<bool(NodeId, NodeId)> passes, const char* what) {
  const base::Duration length = full_length() ? 10min : 60s;
  Figure figure(what);
  for (const std::uint64_t seed : seeds(1)) {
    SCOPED_TRACE(replay(seed));
    Options options;
    options.nodes = kNodes;
    options.seed = seed;
    options.count_bytes = false;
    Simulator simulator(options);
    simulator.start_joined();
    simulator.run_for(20s);
    simulator.filter(passes);
    for (const base::Time end = simulator.now() + length; simulator.now() < end;) {
      publish_row(simulator, static_cast<NodeId>(simulator.rng().below(kNodes)));
      simulator.run_for(1s);
    }
    simulator.heal();
    const base::Time healed = simulator.now();
    EXPECT_TRUE(simulator.run_until(
        60s, 500ms, [&] { return simulator.agreed() && simulator.tables_equal(); }));
    figure.add(simulator.now() - healed);
  }
  figure.print("30 s");
  EXPECT_LE(figure.worst(), 30s);
}

TEST(Partition, HalvesGrowTogetherWithinThirtySeconds) {
  grows_together([](NodeId from, NodeId to) { return from % 2 == to % 2; },
                 "members and tables are equal after the halves find each other");
}

TEST(Partition, ASmallPartThatWasCutOffIsBackWithinThirtySeconds) {
  grows_together([](NodeId from, NodeId to) { return (from < kFew) == (to < kFew); },
                 "the same after 30 were cut off");
}

TEST(Partition, ThoseWhoHeardNobodyButWereHeardAreBackWithinThirtySeconds) {
  grows_together([](NodeId from, NodeId to) { return from < kFew || to >= kFew; },
                 "the same after 30 heard nobody else");
}

}  // namespace
}  // namespace viaduct::sim
