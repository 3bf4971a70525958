// From the sources of several nodes to the snapshots of all: equal tables give equal services and
// equal addresses of names.

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "gossip/own_rows.h"
#include "gossip/store.h"
#include "gossip/table_rows.h"
#include "service/merger.h"
#include "tests/unit/gossip/rows.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kNodes = 4;
constexpr std::size_t kRoom = 1366;

service::MergeOptions options(std::size_t at) {
  service::MergeOptions made;
  made.ranges.max4 = test::address("11.0.0.9");
  made.ranges.max6 = test::address("fd01:c::9");
  made.node_name = "node" + std::to_string(at);
  return made;
}

struct Node {
  explicit Node(std::size_t at)
      : own(options(at).node_name), store(options(at).node_name, 1), merger(options(at)) {}

  void replace(const std::string& source, std::vector<service::BackendRow> rows) {
    const service::SourceChange change = table.replace(
        source, service::SourceParts(service::SourceRows{std::move(rows), {}, {}}), {});
    own.apply(source, change);
    merger.apply(source, change);
  }

  /// What a daemon does with what has changed.
  void settle(base::Time now) {
    do {
      for (const OwnerChange& wire : store.take_changes()) {
        const DecodedChange change = decode_change(wire, {});
        EXPECT_TRUE(change.rejected.empty());
        merger.apply_node(change.owner, change.rows);
        if (change.owner != store.name()) own.on_node(change.rows);
        if (change.dropped) merger.forget_node(change.owner);
        if (change.facts) facts[change.owner] = *change.facts;
      }
      EXPECT_TRUE(store.publish(own.take(now), now));
    } while (changed());
  }
  bool changed() { return std::exchange(last, store.own().version) != store.own().version; }

  service::LocalTable table;
  OwnRows own;
  Store store;
  service::Merger merger;
  std::map<std::string, NodeFacts> facts;
  TableVersion last;
};

class World {
 public:
  explicit World(std::uint64_t seed) : rng_(seed) {
    for (std::size_t at = 0; at < kNodes; at++) nodes_.push_back(std::make_unique<Node>(at));
    for (auto& node : nodes_)
      for (auto& other : nodes_)
        if (node != other) node->store.member_alive(other->store.name(), now_);
  }

  void change() {
    now_ += std::chrono::seconds(rng_.below(120));
    Node& node = *nodes_[rng_.below(kNodes)];
    std::vector<service::BackendRow> rows;
    for (std::size_t count = rng_.below(8); count > 0; count--) rows.push_back(row());
    node.replace(rng_.chance(0.7) ? "files" : "mesos", std::move(rows));
    NodeFacts facts;
    facts.version = std::to_string(rng_.below(3));
    node.own.set_facts(facts);
    node.settle(now_);
    const auto delta = node.store.take_delta(kRoom);
    if (delta && rng_.chance(0.3)) node.store.delta_sent();
    for (auto& other : nodes_) {
      if (delta && rng_.chance(0.5)) other->store.apply(*delta, now_);
      if (rng_.chance(0.5)) other->settle(now_);
    }
    if (rng_.chance(0.3)) sync(*nodes_[rng_.below(kNodes)], node);
  }

  /// Until nobody has anything to tell.
  void settle() {
    for (int round = 0; round < 6; round++)
      for (auto& node : nodes_)
        for (auto& other : nodes_)
          if (node != other) sync(*node, *other);
  }

  void check_equal() {
    const Node& first = *nodes_[0];
    const auto expected = nodes_[0]->merger.snapshot(true);
    for (auto& node : nodes_) {
      ASSERT_EQ(node->store.digest(), first.store.digest());
      EXPECT_EQ(node->facts.size(), first.facts.size());
      const auto snapshot = node->merger.snapshot(true);
      EXPECT_TRUE(snapshot->names == expected->names);
      ASSERT_EQ(snapshot->services.size(), expected->services.size());
      for (const auto& service : expected->services) {
        const service::Service* found = snapshot->find(service->key);
        ASSERT_TRUE(found) << service->key.to_string();
        EXPECT_EQ(*found, *service) << service->key.to_string();
      }
    }
  }

 private:
  service::BackendRow row() {
    const bool v6 = rng_.chance(0.3);
    const std::string last = std::to_string(1 + rng_.below(4));
    service::BackendRow made = backend_row(
        service::VipName{"name" + std::to_string(rng_.below(14)) + ".x"},
        static_cast<std::uint16_t>(80 + rng_.below(2)),
        ((v6 ? "[2001:db8::" + last + "]:" : "192.0.2." + last + ":") + "31000").c_str());
    if (rng_.chance(0.3))
      made.vip = v6 ? test::address(("fd01:c::" + std::to_string(rng_.below(9))).c_str())
                    : base::Address::v4(0x0b000000 + static_cast<std::uint32_t>(rng_.below(12)));
    if (rng_.chance(0.3)) made.protocol = base::Protocol::udp;
    made.weight = static_cast<std::uint16_t>(rng_.below(3));
    made.policy.pick = static_cast<service::PickRule>(rng_.below(4));
    if (rng_.chance(0.2)) made.policy.drain = std::chrono::seconds(rng_.below(3));
    made.task = "task" + std::to_string(rng_.below(4));
    return made;
  }

  void sync(Node& from, Node& to) {
    std::deque<std::pair<Node*, base::Bytes>> messages;
    messages.emplace_back(&to, from.store.begin_sync());
    while (!messages.empty()) {
      auto [at, message] = std::move(messages.front());
      messages.pop_front();
      for (base::Bytes& reply : at->store.on_sync(message, now_).replies)
        messages.emplace_back(at == &to ? &from : &to, std::move(reply));
    }
    from.settle(now_);
    to.settle(now_);
  }

  base::Rng rng_;
  base::Time now_{};
  std::vector<std::unique_ptr<Node>> nodes_;
};

/// The seed of a failure is printed by the scoped trace.
TEST(Table, EqualTablesGiveEqualServicesAndAddresses) {
  for (std::uint64_t seed = 1; seed <= 40 && !HasFailure(); seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int round = 0; round < 6 && !HasFailure(); round++) {
      for (int i = 0; i < 20; i++) world.change();
      world.settle();
      world.check_equal();
    }
  }
}

}  // namespace
}  // namespace viaduct::gossip
