#include "service/merger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace viaduct::service {
namespace {

base::Endpoint endpoint(const char* text) { return *base::Endpoint::parse(text); }
base::Address address(const char* text) { return *base::Address::parse(text); }

/// A range so small that names collide, wrap around and find no room.
MergeOptions options() {
  MergeOptions made;
  made.ranges.max4 = address("11.0.0.9");
  made.ranges.max6 = address("fd01:c::9");
  made.node_address = address("192.0.2.10");
  made.node_name = "node1";
  return made;
}

/// Everything of a snapshot that is seen, in a form that a failure prints.
std::vector<std::string> text(const Snapshot& snapshot) {
  std::vector<std::string> lines = {snapshot.complete ? "complete" : "incomplete"};
  for (const auto& service : snapshot.services) {
    lines.push_back(service->key.to_string() + " " + service->name + " " +
                    std::string(to_string(service->policy.pick)) + " " +
                    service->policy.affinity.to_string());
    for (const Backend& backend : service->backends)
      lines.push_back("  " + backend.endpoint.to_string() + " " + std::to_string(backend.weight) +
                      " " + backend.dial.to_string() + " " + backend.node + " " + backend.task +
                      (backend.tunnel ? " over " + backend.tunnel->to_string() : ""));
  }
  for (const NamedVip& named : snapshot.names) {
    lines.push_back(named.name);
    for (const auto& one : named.addresses) lines.push_back("  " + one.to_string());
  }
  for (const RejectedRow& row : snapshot.notes.rejected)
    lines.push_back(row.where + ": " + row.reason);
  return lines;
}

class Sources {
 public:
  explicit Sources(MergeOptions made) : options_(made), merger_(made) {}

  void replace(const std::string& source, SourceParts parts) {
    merger_.apply(source, table_.replace(source, std::move(parts), base::Time{}));
  }
  void replace(const std::string& source, std::vector<BackendRow> rows) {
    replace(source, SourceParts(SourceRows{std::move(rows), {}, {}}));
  }

  /// Makes another node publish these rows and names instead of those before.
  void publish(const std::string& node, std::vector<BackendRow> rows,
               std::vector<NamedTick> names = {}) {
    NodeRows& now = nodes_[node];
    SourceChange change = compare_rows(now.rows, rows);
    merger_.apply_node(node,
                       {std::move(change.removed), std::move(change.added), now.names, names});
    now.rows = std::move(rows);
    now.names = std::move(names);
  }
  void mask(const std::string& node, Mask mask) {
    nodes_[node].mask = mask;
    merger_.set_mask(node, mask);
  }
  void tunnels(const std::string& node, NodeTunnels tunnels) {
    nodes_[node].tunnels = tunnels;
    merger_.set_tunnels(node, tunnels);
  }
  void forget(const std::string& node) {
    publish(node, {});
    nodes_.erase(node);
    merger_.forget_node(node);
  }

  /// The merger's snapshot, which must equal one made from scratch.
  std::shared_ptr<const Snapshot> merged() {
    const auto snapshot = merger_.snapshot(table_.complete());
    const auto expected = merge(table_, nodes_, options_, nullptr);
    const auto lines = text(*snapshot);
    const auto expected_lines = text(*expected);
    const auto [found_line, expected_line] =
        std::mismatch(lines.begin(), lines.end(), expected_lines.begin(), expected_lines.end());
    EXPECT_TRUE(found_line == lines.end() && expected_line == expected_lines.end())
        << "found: " << (found_line == lines.end() ? "nothing" : *found_line)
        << "\nexpected: " << (expected_line == expected_lines.end() ? "nothing" : *expected_line);
    bool equal = snapshot->services.size() == expected->services.size();
    for (const auto& service : expected->services) {
      const Service* found = snapshot->find(service->key);
      equal = equal && found && *found == *service;
    }
    EXPECT_TRUE(equal && snapshot->names == expected->names &&
                snapshot->notes.rejected == expected->notes.rejected &&
                snapshot->complete == expected->complete);
    return snapshot;
  }

  LocalTable table_;
  Nodes nodes_;
  MergeOptions options_;
  Merger merger_;
};

BackendRow row(VipTarget vip, const char* backend, std::uint16_t weight = 1,
               const char* task = "t") {
  return {std::move(vip), 80, base::Protocol::tcp, endpoint(backend), weight, {}, task};
}

TEST(Merger, SharesWhatDidNotChange) {
  Sources sources(options());
  std::vector<BackendRow> rows = {row(VipName{"a.b"}, "192.0.2.1:80"),
                                  row(VipName{"c.d"}, "192.0.2.1:80"),
                                  row(address("198.51.100.1"), "192.0.2.2:80")};
  sources.replace("files", rows);
  const auto before = sources.merged();
  rows[2].weight = 7;
  sources.replace("files", rows);
  const auto after = sources.merged();
  EXPECT_EQ(after->revision, before->revision + 1);
  EXPECT_EQ(before->services[0], after->services[0]);
  EXPECT_EQ(before->services[1], after->services[1]);
  EXPECT_NE(before->services[2], after->services[2]);
  int names = 0;
  NamedVips::compare(before->names, after->names, [&](auto*, auto*) { names++; });
  EXPECT_EQ(names, 0);
}

TEST(Merger, IsTheSameSnapshotWhenNothingIsSeenOfAChange) {
  Sources sources(options());
  sources.replace("files", {row(VipName{"a.b"}, "192.0.2.1:80")});
  const auto before = sources.merged();
  const SourceRows same{{row(VipName{"a.b"}, "192.0.2.1:80")}, {{"shop.toml:3", "no port"}}, {}};
  sources.replace("files", same);
  EXPECT_EQ(sources.merged(), before);
}

TEST(Merger, AnExplicitVipTakesANamesAddressAndTheNameMovesOn) {
  Sources sources(options());
  sources.replace("files", {row(VipName{"a.b"}, "192.0.2.1:80")});
  const auto place = sources.merged()->names[0].addresses[0];
  sources.replace("mesos", {row(place, "192.0.2.9:80")});
  const auto after = sources.merged();
  EXPECT_NE(after->names[0].addresses[0], place);
  EXPECT_EQ(after->find({place, 80, base::Protocol::tcp})->name, "");
  sources.replace("mesos", std::vector<BackendRow>{});
  EXPECT_EQ(sources.merged()->names[0].addresses[0], place);
}

TEST(Merger, APortMappingThatChangesReachesTheVipsBehindIt) {
  Sources sources(options());
  SourceRows rows{{row(VipName{"a.b"}, "192.0.2.10:31000")}, {}, {}};
  sources.replace("mesos", rows);
  EXPECT_EQ(sources.merged()->services[0]->backends[0].dial, endpoint("192.0.2.10:31000"));
  rows.port_mappings = {{base::Protocol::tcp, 31000, endpoint("172.31.254.3:8080")}};
  sources.replace("mesos", rows);
  EXPECT_EQ(sources.merged()->services[0]->backends[0].dial, endpoint("172.31.254.3:8080"));
}

/// The weights of the only service's backends, in order.
std::vector<int> weights(Sources& sources) {
  const auto snapshot = sources.merged();
  EXPECT_EQ(snapshot->services.size(), 1u);
  std::vector<int> all;
  for (const Backend& backend : snapshot->services[0]->backends) all.push_back(backend.weight);
  return all;
}

class Masks : public testing::Test {
 protected:
  Masks() {
    sources.replace("files", {row(VipName{"a.b"}, "192.0.2.1:80", 2)});
    sources.publish("node2", {row(VipName{"a.b"}, "192.0.2.2:80", 3)});
    sources.publish("node3", {row(VipName{"a.b"}, "192.0.2.3:80", 4)});
  }
  Sources sources{options()};
};

TEST_F(Masks, ASuspectsBackendsTakeNoNewConnectionsAndADeadOnesGo) {
  EXPECT_EQ(weights(sources), (std::vector{2, 3, 4}));
  sources.mask("node2", Mask::suspect);
  EXPECT_EQ(weights(sources), (std::vector{2, 0, 4}));
  sources.mask("node2", Mask::dead);
  EXPECT_EQ(weights(sources), (std::vector{2, 4}));
  sources.mask("node2", Mask::none);
  EXPECT_EQ(weights(sources), (std::vector{2, 3, 4}));
}

TEST_F(Masks, DoubtAboutMoreThanHalfOfAVipIsNotActedUpon) {
  sources.mask("node2", Mask::suspect);
  sources.mask("node3", Mask::suspect);
  EXPECT_EQ(weights(sources), (std::vector{2, 3, 4}));
  sources.mask("node3", Mask::dead);
  EXPECT_EQ(weights(sources), (std::vector{2, 0}));
}

TEST_F(Masks, ABackendThatTakesNoConnectionsIsNoReasonToTrustInIt) {
  sources.replace("files", {row(VipName{"a.b"}, "192.0.2.1:80", 0)});
  sources.publish("node3", {});
  sources.mask("node2", Mask::suspect);
  EXPECT_EQ(weights(sources), (std::vector{0, 3})) << "the only one that takes any";
}

TEST_F(Masks, AVipAllOfWhoseBackendsAreOnDeadNodesKeepsThem) {
  sources.replace("files", std::vector<BackendRow>{});
  sources.mask("node2", Mask::dead);
  sources.mask("node3", Mask::dead);
  EXPECT_EQ(weights(sources), (std::vector{3, 4}));
  sources.mask("node3", Mask::suspect);
  EXPECT_EQ(weights(sources), (std::vector{4}));
}

TEST_F(Masks, AnEndpointThatALivingNodePublishesTooIsNotMasked) {
  sources.publish("node3",
                  {row(VipName{"a.b"}, "192.0.2.2:80", 1), row(VipName{"a.b"}, "192.0.2.3:80", 4)});
  EXPECT_EQ(weights(sources), (std::vector{2, 3, 4})) << "the larger weight wins";
  sources.mask("node2", Mask::dead);
  EXPECT_EQ(weights(sources), (std::vector{2, 1, 4}));
  EXPECT_TRUE(sources.merged()->notes.rejected.empty());
}

TEST_F(Masks, AreOfOtherNodesOnly) {
  sources.merger_.set_mask("node1", Mask::dead);
  EXPECT_EQ(weights(sources), (std::vector{2, 3, 4}));
}

TEST(Merger, BackendsOfOtherNodesAreReachedOverTheirTunnels) {
  Sources sources(options());
  BackendRow own_tunnel = row(address("198.51.100.1"), "192.0.2.4:80");
  own_tunnel.tunnel = address("203.0.113.9");
  sources.publish("node2", {row(address("198.51.100.1"), "192.0.2.2:80"), own_tunnel,
                            row(address("198.51.100.1"), "192.0.2.10:80"),
                            row(address("2001:db8::1"), "[2001:db8::2]:80")});
  const auto tunnel = [&](std::size_t service, std::size_t backend) {
    return sources.merged()->services[service]->backends[backend].tunnel;
  };
  EXPECT_EQ(tunnel(0, 0), std::nullopt);
  sources.tunnels("node2", {address("203.0.113.2"), {}});
  const std::size_t v4 = sources.merged()->services[0]->key.address.is_v4() ? 0 : 1;
  EXPECT_EQ(tunnel(v4, 0), address("203.0.113.2"));
  EXPECT_EQ(tunnel(v4, 1), address("203.0.113.9")) << "the row says so";
  EXPECT_EQ(tunnel(v4, 2), std::nullopt) << "that is this machine";
  EXPECT_EQ(tunnel(1 - v4, 0), address("203.0.113.2")) << "better than none";
  sources.tunnels("node2", {address("203.0.113.2"), address("2001:db8::ff")});
  EXPECT_EQ(tunnel(1 - v4, 0), address("2001:db8::ff"));
  EXPECT_EQ(sources.merged()->services[0]->backends[0].node, "node2");
}

TEST(Merger, ThePolicyOfTheNodeWithTheSmallestNameWins) {
  Sources sources(options());
  auto first = row(address("198.51.100.1"), "192.0.2.2:80");
  auto second = row(address("198.51.100.1"), "192.0.2.3:80");
  auto own = row(address("198.51.100.1"), "192.0.2.1:80");
  first.policy.pick = PickRule::random;
  second.policy.pick = PickRule::round_robin;
  second.policy.drain = std::chrono::seconds(9);
  own.policy.pick = PickRule::maglev;
  sources.publish("node2", {second});
  sources.replace("files", {own});
  EXPECT_EQ(sources.merged()->services[0]->policy.pick, PickRule::maglev);
  sources.publish("node0", {first});
  EXPECT_EQ(sources.merged()->services[0]->policy.pick, PickRule::random);
  EXPECT_EQ(sources.merged()->services[0]->policy.drain, std::chrono::seconds(9));
  sources.mask("node0", Mask::dead);
  EXPECT_EQ(sources.merged()->services[0]->policy.pick, PickRule::random)
      << "nodes differ in what they think of a node, but not in the policy";
  EXPECT_EQ(sources.merged()->notes.rejected.size(), 2u);
}

TEST(Merger, ANameKeepsItsAddressesWhileAnyNodeSpeaksOfIt) {
  MergeOptions made = options();
  made.ranges.max4 = address("11.0.0.1");  // the first candidate of all is 11.0.0.0
  Sources sources(made);
  sources.publish("node2", {row(VipName{"old.x"}, "192.0.2.2:80")}, {{"old.x", 1}});
  sources.replace("files", {row(VipName{"new.x"}, "192.0.2.1:80")});
  sources.publish("node1", {}, {{"new.x", 2}});
  const auto given = [&](const char* name) {
    const auto snapshot = sources.merged();
    const NamedVip* named = snapshot->names.find(name);
    return named ? named->addresses.at(0) : base::Address();
  };
  EXPECT_EQ(given("old.x"), address("11.0.0.0"));
  EXPECT_EQ(given("new.x"), address("11.0.0.1"));
  sources.publish("node2", {}, {{"old.x", 1}});
  EXPECT_EQ(given("old.x"), base::Address()) << "it has no backends and is not shown";
  EXPECT_EQ(given("new.x"), address("11.0.0.1")) << "but it keeps its place";
  sources.publish("node2", {});
  EXPECT_EQ(given("new.x"), address("11.0.0.0"));
}

/// Random rows from a world small enough that everything collides.
class RandomRows {
 public:
  explicit RandomRows(std::mt19937& random) : random_(random) {}

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  BackendRow one() {
    BackendRow made;
    const bool v6 = below(4) == 0;
    if (below(3) == 0)
      made.vip = explicit_address(below(12) == 0 ? !v6 : v6);
    else
      made.vip = VipName{"name" + std::to_string(below(14)) + ".x"};
    made.vip_port = static_cast<std::uint16_t>(80 + below(2));
    made.protocol = below(4) == 0 ? base::Protocol::udp : base::Protocol::tcp;
    const std::string host = std::to_string(8 + below(4));
    made.backend = endpoint(((v6 ? "[2001:db8::" + host + "]:" : "192.0.2." + host + ":") +
                             std::to_string(31000 + below(3)))
                                .c_str());
    made.weight = static_cast<std::uint16_t>(below(3));
    made.policy.pick = static_cast<PickRule>(below(4));
    if (below(4) == 0)
      made.policy.affinity = {AffinityBy::client, std::chrono::seconds(1 + below(2))};
    made.task = "task" + std::to_string(below(6));
    return made;
  }

  /// Edits some parts of a source; the others stay shared with what it had before.
  void change(SourceParts& source) {
    for (unsigned edits = below(5); edits > 0; edits--) {
      const std::string name = std::array{"a.toml", "b.toml", "", "c.toml"}[below(4)];
      const auto known = source.by_name().find(name);
      const bool is_there = known != source.by_name().end();
      if (is_there && below(12) == 0) {
        source.remove(name);
        continue;
      }
      SourceRows part = is_there ? *known->second : SourceRows{};
      change(part);
      source.put(name, std::make_shared<const SourceRows>(std::move(part)));
    }
  }

  void change_node(Sources& sources) {
    const std::string node = std::array{"node0", "node1", "node2", "node3"}[below(4)];
    const unsigned kind = below(20);
    if (kind < 4) return sources.mask(node, node == "node1" ? Mask::none : Mask(below(3)));
    if (kind < 6) return sources.tunnels(node, tunnels());
    if (kind < 7) return sources.forget(node);
    SourceRows rows{sources.nodes_[node].rows, {}, {}};
    if (node != "node1") change(rows);
    std::vector<NamedTick> names = sources.nodes_[node].names;
    if (below(3) == 0) names.push_back({"name" + std::to_string(below(16)) + ".x", below(5)});
    if (below(3) == 0 && !names.empty())
      names.erase(names.begin() + below(static_cast<unsigned>(names.size())));
    sources.publish(node, std::move(rows.rows), std::move(names));
  }

 private:
  NodeTunnels tunnels() {
    NodeTunnels made;
    if (below(3)) made.v4 = address(below(2) ? "203.0.113.2" : "192.0.2.10");
    if (below(3)) made.v6 = address("2001:db8::ff");
    return made;
  }

  void change(SourceRows& source) {
    auto& rows = source.rows;
    const unsigned kind = below(20);
    const auto at = rows.begin() + (rows.empty() ? 0 : below(static_cast<unsigned>(rows.size())));
    if (rows.empty() || kind < 7)
      rows.insert(at, one());
    else if (kind < 14)
      rows.erase(at);
    else if (kind < 16)
      at->weight = static_cast<std::uint16_t>(below(3));
    else if (kind < 17)
      rows.push_back(*at);
    else if (kind < 18)
      std::shuffle(rows.begin(), rows.end(), random_);
    else if (kind < 19)
      mappings(source.port_mappings);
    else if (below(4) == 0)
      flip(rows);
  }

  /// Some are addresses that names want.
  base::Address explicit_address(bool v6) {
    const auto last = static_cast<std::uint8_t>(below(12));
    if (!v6) return base::Address::v4({11, 0, 0, last});
    return base::Address::v6({0xfd, 1, 0, 0xc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
  }

  void mappings(std::vector<PortMapping>& all) {
    if (!all.empty() && below(2) == 0) {
      all.erase(all.begin() + below(static_cast<unsigned>(all.size())));
      return;
    }
    all.push_back({below(2) ? base::Protocol::tcp : base::Protocol::udp,
                   static_cast<std::uint16_t>(31000 + below(3)),
                   endpoint(below(5) ? "172.31.254.3:8080" : "[2001:db8::99]:8080")});
  }

  void flip(std::vector<BackendRow>& rows) {
    rows.clear();
    for (unsigned count = below(60); count > 0; count--) rows.push_back(one());
  }

  std::mt19937& random_;
};

/// What a sink that follows the differences alone believes.
struct Follower {
  void take(const Snapshot& next) {
    Services::compare(last.services, next.services, [&](auto* before, auto* after) {
      if (after)
        services[(*after)->key] = *after;
      else
        services.erase((*before)->key);
    });
    last = next;
  }
  Snapshot last;
  std::map<VipKey, std::shared_ptr<const Service>> services;
};

void run(unsigned seed, int steps) {
  std::mt19937 random(seed);
  RandomRows rows(random);
  MergeOptions made = options();
  made.enable_ipv6 = seed % 5 != 0;
  Sources sources(made);
  for (const char* name : {"files", "mesos", "peer"}) sources.table_.expect(name);
  std::map<std::string, SourceParts> now;
  Follower follower;
  for (int step = 0; step < steps && !testing::Test::HasFailure(); step++) {
    for (unsigned changes = rows.below(4) + 1; changes > 0; changes--) {
      if (rows.below(2) == 0) {
        rows.change_node(sources);
        continue;
      }
      const std::string name = std::array{"files", "mesos", "peer"}[rows.below(step < 20 ? 2 : 3)];
      if (rows.below(10) == 0) {
        sources.table_.fail(name, "no answer", base::Time{});
        continue;
      }
      rows.change(now[name]);
      if (step == 0 && name == "files")
        sources.merger_.apply(name, sources.table_.restore(name, now[name]));
      else
        sources.replace(name, now[name]);
    }
    const auto snapshot = sources.merged();
    follower.take(*snapshot);
    ASSERT_TRUE(std::equal(snapshot->services.begin(), snapshot->services.end(),
                           follower.services.begin(), follower.services.end(),
                           [](const auto& one, const auto& two) { return one == two.second; }));
  }
}

/// The seed of a failure is printed by the scoped trace.
TEST(Merger, AnyChangesGiveWhatAMergeFromScratchGives) {
  for (unsigned seed = 1; seed <= 40 && !HasFailure(); seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run(seed, 150);
  }
}

}  // namespace
}  // namespace viaduct::service
