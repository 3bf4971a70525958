#include "service/merger.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/service/merger_sources.h"

namespace viaduct::service {
namespace {

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

}  // namespace
}  // namespace viaduct::service
