// Tables on a network that loses, doubles, delays and reorders all that they say.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "gossip/delta.h"
#include "gossip/store.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kNodes = 6;
constexpr base::Duration kTick = 100ms;
constexpr int kSends = 6;

/// One process: what it would be with an engine around it.
struct Node {
  Node(const std::string& name, std::uint64_t life) : store(name, 1), number(life) {}

  struct Queued {
    Delta delta;
    int left = kSends;
  };

  Store store;
  std::uint64_t number;             ///< tells two lives of a name apart
  std::map<OwnerId, Queued> queue;  ///< by owner
  std::map<std::string, std::map<std::string, std::string>> follower;  ///< rows as changes tell
  std::map<OwnerId, TableVersion> versions;                            ///< as of the last look
};

struct Message {
  base::Time due;
  std::size_t from, to;
  std::uint64_t from_life, to_life;
  base::Bytes bytes;
};

class World {
 public:
  explicit World(std::uint64_t seed) : rng_(seed), budget_(seed % 3 == 0 ? 120 : 1366) {
    for (std::size_t i = 0; i < kNodes; i++) start(i);
  }

  void run(int ticks, bool quiet) {
    for (int i = 0; i < ticks && !testing::Test::HasFailure(); i++) {
      now_ += kTick;
      if (!quiet) disturb();
      members();
      deliver();
      for (std::size_t at = 0; at < kNodes; at++)
        if (nodes_[at]) tick(at);
      check_steps();
    }
  }

  void end_disturbance() {
    clone_.reset();
    loss_ = 0;
    group_.fill(0);
    for (std::size_t i = 0; i < kNodes; i++)
      if (!nodes_[i]) start(i);
  }

  void check_equal() const {
    for (const auto& node : nodes_)
      for (const auto& other : nodes_) {
        const OwnerRecord* record = node->store.find(other->store.name());
        ASSERT_TRUE(record);
        EXPECT_EQ(record->version, other->store.own().version)
            << other->store.name() << " at " << node->store.name();
        EXPECT_EQ(record->rows, other->store.own().rows);
        EXPECT_EQ(node->store.digest(), other->store.digest());
        std::map<std::string, std::string> rows;
        for (const WireRow& row : record->rows.list()) rows.emplace(row.key(), row.value());
        const auto followed = node->follower.find(other->store.name());
        EXPECT_EQ(followed == node->follower.end() ? decltype(rows)() : followed->second, rows);
      }
  }

 private:
  static std::string name(std::size_t at) { return "node" + std::to_string(at); }

  void start(std::size_t at) {
    nodes_[at] = std::make_unique<Node>(name(at), ++lives_);
    publish(*nodes_[at]);
    group_[at] = group_[rng_.below(kNodes)];
  }

  /// Keys are few, so that rows come, change and go; the value is new each time.
  void publish(Node& node) {
    std::vector<RowChange> changes;
    for (std::size_t count = 1 + rng_.below(3); count > 0; count--) {
      const std::string key = "key" + std::to_string(rng_.below(12));
      if (std::any_of(changes.begin(), changes.end(), [&](auto& one) { return one.key == key; }))
        continue;
      RowChange& change = changes.emplace_back(key);
      if (rng_.chance(0.6)) change.value = std::to_string(++values_);
    }
    ASSERT_TRUE(node.store.publish(std::move(changes), now_));
  }

  void disturb() {
    const std::size_t at = rng_.below(kNodes);
    if (rng_.chance(0.3) && nodes_[at]) publish(*nodes_[at]);
    if (clone_ && rng_.chance(0.2)) publish(*clone_);
    if (rng_.chance(0.01)) loss_ = rng_.unit() * 0.5;
    if (rng_.chance(0.01))
      for (auto& group : group_) group = rng_.chance(0.3) ? 1 : 0;
    if (rng_.chance(0.02)) group_.fill(0);
    if (rng_.chance(0.01)) nodes_[at].reset();
    if (rng_.chance(0.03) && !nodes_[at]) start(at);
    if (rng_.chance(0.005)) {
      if (clone_)
        clone_.reset();
      else
        clone_ = std::make_unique<Node>(name(0), ++lives_);
    }
  }

  bool connected(std::size_t one, std::size_t other) const {
    return nodes_[one] && nodes_[other] && group_[one] == group_[other];
  }

  /// Everybody learns sooner or later who is there.
  void members() {
    for (std::size_t at = 0; at < kNodes; at++)
      for (std::size_t other = 0; other < kNodes; other++) {
        if (!nodes_[at] || at == other || !rng_.chance(0.1)) continue;
        if (connected(at, other))
          nodes_[at]->store.member_alive(name(other), now_);
        else
          nodes_[at]->store.member_gone(name(other), now_);
      }
  }

  void send(std::size_t from, std::size_t to, base::Bytes bytes) {
    if (!connected(from, to)) return;
    for (int copies = rng_.chance(0.1) ? 2 : 1; copies > 0; copies--)
      if (!rng_.chance(loss_))
        wire_.push_back({now_ + std::chrono::milliseconds(rng_.below(400)), from, to,
                         nodes_[from]->number, nodes_[to]->number, bytes});
  }

  void deliver() {
    std::vector<Message> due;
    std::erase_if(wire_, [&](Message& message) {
      if (message.due > now_) return false;
      due.push_back(std::move(message));
      return true;
    });
    rng_.shuffle(due);
    for (Message& message : due) {
      if (!connected(message.from, message.to) || nodes_[message.to]->number != message.to_life)
        continue;
      take(message);
      // A clone sits at the same place, and hears and says the same things.
      if (message.to == 0 && clone_ && rng_.chance(0.5)) {
        if (const auto delta = decode_delta(message.bytes)) clone_->store.apply(*delta, now_);
      }
    }
  }

  void take(const Message& message) {
    Node& node = *nodes_[message.to];
    if (const auto delta = decode_delta(message.bytes)) {
      const Applied applied = node.store.apply(*delta, now_);
      if (applied.relay) queue(node, *delta);
      if (applied.pull) {
        const OwnerId owner = delta->owner;
        send(message.to, message.from, node.store.pull({&owner, 1}, now_));
      }
      return;
    }
    Synced synced = node.store.on_sync(message.bytes, now_);
    for (base::Bytes& reply : synced.replies) send(message.to, message.from, std::move(reply));
    for (const Delta& delta : synced.relays) queue(node, delta);
    for (const Delta& delta : synced.found) queue(node, delta);
  }

  void queue(Node& node, const Delta& delta) {
    const auto [entry, added] = node.queue.try_emplace(delta.owner, Node::Queued{delta});
    if (!added) entry->second = {join(entry->second.delta, delta, budget_)};
  }

  void gossip(std::size_t at, Node& node) {
    if (auto own = node.store.take_delta(budget_)) node.queue[node.store.id()] = {std::move(*own)};
    for (auto entry = node.queue.begin(); entry != node.queue.end();) {
      for (int i = 0; i < 2 && entry->second.left > 0; i++, entry->second.left--)
        send(at, rng_.below(kNodes), encode_delta(entry->second.delta, budget_));
      if (entry->second.left > 0) {
        ++entry;
        continue;
      }
      if (entry->first == node.store.id()) node.store.delta_sent();
      entry = node.queue.erase(entry);
    }
  }

  void tick(std::size_t at) {
    Node& node = *nodes_[at];
    for (const OwnerId owner : node.store.on_tick(now_))
      send(at, rng_.below(kNodes), node.store.pull({&owner, 1}, now_));
    gossip(at, node);
    if (at == 0 && clone_) {
      clone_->store.on_tick(now_);
      gossip(at, *clone_);
    }
    if (rng_.chance(0.02)) send(at, rng_.below(kNodes), node.store.begin_sync());
    for (const OwnerChange& change : node.store.take_changes()) follow(node, change);
  }

  static void follow(Node& node, const OwnerChange& change) {
    auto& rows = node.follower[change.owner];
    for (const WireRow& row : change.removed) {
      const auto known = rows.find(std::string(row.key()));
      ASSERT_TRUE(known != rows.end() && known->second == row.value());
      rows.erase(known);
    }
    for (const WireRow& row : change.added)
      ASSERT_TRUE(rows.emplace(row.key(), row.value()).second);
    ASSERT_TRUE(!change.dropped || rows.empty());
  }

  /// Versions never go back, so no row that was withdrawn comes again.
  void check_steps() {
    for (const auto& node : nodes_) {
      if (!node) continue;
      for (const auto& [owner, record] : node->store.owners()) {
        TableVersion& before = node->versions[owner];
        ASSERT_LE(before, record.version);
        ASSERT_EQ(record.rows.hash(), record.version.hash);
        before = record.version;
      }
      std::erase_if(node->versions,
                    [&](const auto& one) { return !node->store.owners().contains(one.first); });
    }
  }

  base::Rng rng_;
  std::size_t budget_;
  base::Time now_{};
  double loss_ = 0.1;
  std::array<std::unique_ptr<Node>, kNodes> nodes_;
  std::unique_ptr<Node> clone_;
  std::array<int, kNodes> group_{};
  std::vector<Message> wire_;
  std::uint64_t lives_ = 0;
  std::uint64_t values_ = 0;
};

/// The seed of a failure is printed by the scoped trace.
TEST(Store, TablesAreEqualWhenAllIsQuietWhateverCameBefore) {
  for (std::uint64_t seed = 1; seed <= 150 && !HasFailure(); seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.run(600, false);
    world.end_disturbance();
    world.run(600, true);
    world.check_equal();
  }
}

}  // namespace
}  // namespace viaduct::gossip
