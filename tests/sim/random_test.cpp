// Small clusters to which everything happens at random, and which must agree when it is over.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "gossip/row_codec.h"
#include "gossip/table_rows.h"
#include "service/merger.h"
#include "tests/sim/seeds.h"
#include "tests/sim/simulator.h"

namespace viaduct::sim {
namespace {

using namespace std::chrono_literals;
using NodeId = Simulator::NodeId;

/// Longest pause of a process in milliseconds, and longest time that a row may be on its way and
/// nowhere else: a stream's patience, a pause, and some.
constexpr std::size_t kMaxPauseMs = 8000;
constexpr base::Duration kInFlight = 25s;

std::shared_ptr<const Options::Bytes> bytes_of(base::Rng& rng) {
  auto bytes = std::make_shared<Options::Bytes>();
  if (rng.chance(0.5)) bytes->wire.label = "test";
  bytes->wire.compress = rng.chance(0.5);
  if (rng.chance(0.7)) {
    EXPECT_TRUE(bytes->keyring.install(base::Bytes(32, 7)));
    bytes->damage = 0.01;
  }
  return bytes;
}

Options options_of(std::uint64_t seed, bool as_bytes) {
  base::Rng rng(~seed);
  Options options;
  options.seed = seed;
  options.nodes = 3 + rng.below(rng.chance(0.3) ? 38 : 8);
  options.seeds = 1 + rng.below(3);
  options.network.max_delay = std::chrono::milliseconds(1 + rng.below(80));
  options.network.loss = rng.chance(0.5) ? 0.3 * rng.unit() : 0.01;
  options.network.duplication = 0.2 * rng.unit();
  options.network.reordering = 0.3 * rng.unit();
  options.count_bytes = false;
  if (as_bytes) options.bytes = bytes_of(rng);
  return options;
}

/// What a node's consumers make of what the table tells them.
struct Follower {
  Follower() : merger({}) {}

  void take(const gossip::OwnerChange& change) {
    const gossip::DecodedChange decoded = gossip::decode_change(change, {});
    EXPECT_TRUE(decoded.rejected.empty());
    merger.apply_node(change.owner, decoded.rows);
  }

  service::Merger merger;
};

class World {
 public:
  World(std::uint64_t seed, bool as_bytes)
      : simulator_(options_of(seed, as_bytes)), rng_(seed * 3 + 1), followers_(simulator_.size()) {}

  void run() {
    for (NodeId node = 0; node < simulator_.size(); ++node)
      if (rng_.chance(0.8)) start(node);
    const base::Duration length = std::chrono::seconds(30 + rng_.below(90));
    for (const base::Time end = simulator_.now() + length; simulator_.now() < end;) {
      disturb();
      wait(std::chrono::milliseconds(rng_.below(1500)));
    }
    end_disturbance();
    wait(60s);
  }

  void check_equal() {
    EXPECT_TRUE(simulator_.agreed()) << "members differ:" << views();
    const std::vector<NodeId> running = simulator_.running();
    std::shared_ptr<const service::Snapshot> first;
    for (const NodeId node : running) {
      for (const NodeId owner : running) check_rows(node, owner);
      if (running.size() != simulator_.size()) continue;
      EXPECT_EQ(store(node).digest(), store(running.front()).digest());
      const auto snapshot = followers_[node]->merger.snapshot(true);
      if (!first) first = snapshot;
      EXPECT_TRUE(snapshot->names == first->names) << "named VIPs differ at node " << node;
      EXPECT_TRUE(same_services(*snapshot, *first)) << "services differ at node " << node;
    }
  }

  std::size_t rows_seen() const { return last_seen_.size(); }

 private:
  const gossip::Store& store(NodeId node) const { return simulator_.engine(node).table().store(); }

  /// What each node thinks of those that it does not hold for alive, or that do not run.
  std::string views() const {
    std::string text;
    for (const NodeId node : simulator_.running()) {
      const auto& membership = simulator_.engine(node).membership();
      text += "\n" + simulator_.name(node) + " " + std::to_string(membership.incarnation()) + ":";
      for (NodeId other = 0; other < simulator_.size(); ++other) {
        const auto id = membership.members().find(simulator_.name(other));
        const bool gone = membership.gone().contains(simulator_.name(other));
        if (!id) text += " " + std::to_string(other) + (gone ? " gone" : " unknown");
        if (!id || membership.members()[*id].state == gossip::NodeState::alive) continue;
        text += " " + std::to_string(other) + " state " +
                std::to_string(static_cast<int>(membership.members()[*id].state)) + " of " +
                std::to_string(membership.members()[*id].incarnation);
      }
    }
    return text;
  }

  static bool same_services(const service::Snapshot& one, const service::Snapshot& other) {
    return std::equal(one.services.begin(), one.services.end(), other.services.begin(),
                      other.services.end(),
                      [](const auto& left, const auto& right) { return *left == *right; });
  }

  void check_rows(NodeId node, NodeId owner) {
    const gossip::OwnerRecord* record = store(node).find(simulator_.name(owner));
    ASSERT_TRUE(record) << node << " lacks " << owner;
    EXPECT_EQ(record->version, store(owner).own().version) << "of " << owner << " at " << node;
    EXPECT_TRUE(record->rows == store(owner).own().rows) << "of " << owner << " at " << node;
  }

  void start(NodeId node) {
    followers_[node] = std::make_unique<Follower>();
    simulator_.restart(node);
    leaving_.erase(node);
    publish(node);
  }

  /// Rows of a few VIPs come, change and go. Each is new: its task says so.
  void publish(NodeId node) {
    std::map<std::string, gossip::RowChange> changes;
    for (std::size_t count = 1 + rng_.below(3); count > 0; --count) {
      const bool set = rng_.chance(0.6);
      if (rng_.chance(0.2)) {
        put(changes, gossip::encode_row(gossip::NameRow{name(), ++numbers_}), set);
        continue;
      }
      service::BackendRow row;
      if (rng_.chance(0.5))
        row.vip = base::Address::v4(0x0b000000 + static_cast<std::uint32_t>(rng_.below(5)));
      else
        row.vip = service::VipName{name()};
      row.vip_port = static_cast<std::uint16_t>(80 + rng_.below(2));
      row.backend = {simulator_.info(node)->endpoint.address,
                     static_cast<std::uint16_t>(31'000 + rng_.below(4))};
      row.task = "task." + std::to_string(++numbers_);
      put(changes, gossip::encode_row(row).value(), set);
    }
    std::vector<gossip::RowChange> list;
    for (auto& [key, change] : changes) list.push_back(std::move(change));
    ASSERT_TRUE(simulator_.engine(node).publish(std::move(list), simulator_.now()));
    gossip::Actions none;
    simulator_.perform(node, none);
  }

  std::string name() { return "app" + std::to_string(rng_.below(6)) + ".marathon"; }

  static void put(std::map<std::string, gossip::RowChange>& changes, const gossip::WireRow& row,
                  bool set) {
    gossip::RowChange change{std::string(row.key())};
    if (set) change.value.emplace(row.value());
    changes[change.key] = std::move(change);
  }

  NodeId any() { return static_cast<NodeId>(rng_.below(simulator_.size())); }

  void disturb() {
    const NodeId node = any();
    const bool up = simulator_.up(node);
    switch (rng_.below(20)) {
      case 0:
        return up ? (rng_.chance(0.5) ? simulator_.kill(node) : simulator_.cut(node)) : start(node);
      case 1:  // with nothing known from its life before
        return start(node);
      case 2:
        simulator_.kill(node);
        // Two parts of a cluster find each other again by seeds that stay where they are.
        if (node >= simulator_.options().seeds) simulator_.move(node);
        return start(node);
      case 3:
        return partition();
      case 4:
      case 5:
        return simulator_.heal();
      case 6:
        return simulator_.block(node, any());
      case 7:
        return simulator_.unblock_all();
      case 8:
        return pause(node);
      case 9:
        return leave(node);
      case 10:
        if (up) force_remove(node, simulator_.name(any()));
        return;
      case 11:
        simulator_.network().loss = rng_.chance(0.7) ? 0.02 : 0.6 * rng_.unit();
        return;
      default:
        if (up && !leaving_.contains(node)) publish(node);
    }
  }

  void partition() {
    std::vector<int> sides(simulator_.size());
    for (int& side : sides) side = rng_.chance(0.4) ? 1 : 0;
    simulator_.partition([sides](NodeId node) { return sides[node]; });
  }

  void pause(NodeId node) {
    if (!simulator_.up(node) || simulator_.paused(node)) return;
    simulator_.pause(node);
    simulator_.after(std::chrono::milliseconds(rng_.below(kMaxPauseMs)),
                     [this, node] { simulator_.resume(node); });
  }

  void leave(NodeId node) {
    if (!simulator_.up(node) || !leaving_.insert(node).second) return;
    simulator_.leave(node);
    const std::uint32_t generation = simulator_.generation(node);
    simulator_.after(2s, [this, node, generation] {
      if (simulator_.generation(node) == generation) simulator_.kill(node);
    });
  }

  void force_remove(NodeId node, const std::string& other) {
    gossip::Actions actions;
    simulator_.engine(node).force_remove(other, simulator_.now(), actions);
    simulator_.perform(node, actions);
  }

  void end_disturbance() {
    simulator_.heal();
    simulator_.unblock_all();
    simulator_.network() = {};          // where answers come too late somebody is always in doubt
    const bool all = rng_.chance(0.6);  // else who is down stays down
    for (NodeId node = 0; node < simulator_.size(); ++node) {
      simulator_.resume(node);
      if (leaving_.contains(node)) simulator_.kill(node);
      if (!simulator_.up(node) && (all || node == 0)) start(node);
    }
  }

  void wait(base::Duration duration) {
    constexpr base::Duration kLook = 250ms;
    for (const base::Time end = simulator_.now() + duration; simulator_.now() < end;) {
      simulator_.run_for(std::min(kLook, end - simulator_.now()));
      for (const NodeId node : simulator_.running()) look(node);
      for (const std::uint64_t row : seen_now_) last_seen_[row] = simulator_.now();
      seen_now_.clear();
    }
  }

  /// No row comes again after it was gone everywhere.
  void look(NodeId node) {
    for (const gossip::OwnerChange& change : simulator_.engine(node).store().take_changes())
      followers_[node]->take(change);
    for (const auto& [owner, record] : store(node).owners()) {
      for (const gossip::WireRow& row : record.rows.list()) {
        const std::uint64_t id = row.hash() ^ owner;
        if (!seen_now_.insert(id).second) continue;
        const auto before = last_seen_.find(id);
        if (before != last_seen_.end() && simulator_.now() - before->second > kInFlight)
          simulator_.fail(node, "a row of " + record.name + " has come again that was gone for " +
                                    std::to_string((simulator_.now() - before->second) / 1s) +
                                    " s");
      }
    }
  }

  Simulator simulator_;
  base::Rng rng_;
  std::vector<std::unique_ptr<Follower>> followers_;
  std::set<NodeId> leaving_;
  std::unordered_map<std::uint64_t, base::Time> last_seen_;  ///< by row
  std::unordered_set<std::uint64_t> seen_now_;
  std::uint64_t numbers_ = 0;
};

void all_agree(std::uint64_t runs, bool as_bytes) {
  std::size_t rows = 0;
  const auto list = seeds(runs);
  for (const std::uint64_t seed : list) {
    SCOPED_TRACE(replay(seed));
    World world(seed, as_bytes);
    world.run();
    world.check_equal();
    rows += world.rows_seen();
    if (testing::Test::HasFailure()) return;
  }
  std::printf("  %zu clusters, %zu rows\n", list.size(), rows);
}

TEST(Random, AllAgreeWhenAllIsQuietWhateverCameBefore) { all_agree(150, false); }
TEST(Random, AllAgreeAsWellIfTheyReadWhatOthersWriteByteForByte) { all_agree(30, true); }

}  // namespace
}  // namespace viaduct::sim
