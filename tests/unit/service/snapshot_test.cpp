#include "service/snapshot.h"

#include <gtest/gtest.h>

namespace viaduct::service {
namespace {

base::Endpoint endpoint(const char* text) { return *base::Endpoint::parse(text); }
base::Address address(const char* text) { return *base::Address::parse(text); }

BackendRow row(VipTarget vip, const char* backend, std::uint16_t weight = 1,
               const char* task = "t") {
  return {std::move(vip), 80, base::Protocol::tcp, endpoint(backend), weight, {}, task};
}

class Merging : public testing::Test {
 protected:
  Merging() { options_.node_address = address("192.0.2.10"); }
  std::shared_ptr<const Snapshot> merged(std::vector<BackendRow> rows,
                                         const Snapshot* previous = nullptr) {
    SourceRows source;
    source.rows = std::move(rows);
    source.port_mappings = mappings_;
    table_.replace("test", std::move(source), base::Time{});
    return merge(table_, options_, previous);
  }
  LocalTable table_;
  MergeOptions options_;
  std::vector<PortMapping> mappings_;
};

TEST_F(Merging, GivesANamedVipOneAddressPerFamilyThatHasBackends) {
  const auto snapshot = merged(
      {row(VipName{"foo.bar"}, "192.0.2.1:8080"), row(VipName{"foo.bar"}, "[2001:db8::1]:8080")});
  ASSERT_EQ(snapshot->services.size(), 2u);
  ASSERT_EQ(snapshot->names.size(), 1u);
  EXPECT_EQ(snapshot->names[0].addresses.size(), 2u);
  EXPECT_EQ(snapshot->names[0].addresses[0], address("11.138.58.156"));
  const Service* service = snapshot->find({address("11.138.58.156"), 80, base::Protocol::tcp});
  ASSERT_TRUE(service);
  ASSERT_EQ(service->backends.size(), 1u);
  EXPECT_EQ(service->backends[0].endpoint, endpoint("192.0.2.1:8080"));
}

TEST_F(Merging, SharesServicesThatDidNotChange) {
  const auto before = merged({row(address("198.51.100.50"), "192.0.2.1:8080"),
                              row(address("198.51.100.51"), "192.0.2.1:8080")});
  const auto after = merged({row(address("198.51.100.50"), "192.0.2.1:8080"),
                             row(address("198.51.100.51"), "192.0.2.2:8080")},
                            before.get());
  EXPECT_EQ(before->services[0], after->services[0]);
  EXPECT_NE(before->services[1], after->services[1]);
}

TEST_F(Merging, RejectsABackendOfAnotherFamily) {
  const auto snapshot = merged({row(address("2001:db8::5"), "192.0.2.1:8080"),
                                row(address("198.51.100.50"), "192.0.2.1:8080")});
  EXPECT_EQ(snapshot->services.size(), 1u);
  ASSERT_EQ(snapshot->notes.rejected.size(), 1u);
  EXPECT_NE(snapshot->notes.rejected[0].reason.find("families"), std::string::npos);
}

TEST_F(Merging, AnEndpointCountsOnceAndTheOneThatTakesConnectionsWins) {
  const auto snapshot = merged({row(address("198.51.100.50"), "192.0.2.1:8080", 0, "old"),
                                row(address("198.51.100.50"), "192.0.2.1:8080", 1, "new")});
  ASSERT_EQ(snapshot->services[0]->backends.size(), 1u);
  EXPECT_EQ(snapshot->services[0]->backends[0].weight, 1);
  EXPECT_EQ(snapshot->services[0]->backends[0].task, "new");
  EXPECT_EQ(snapshot->notes.rejected.size(), 1u);
}

TEST_F(Merging, DialsTheContainerBehindAPortMappingOfThisNode) {
  mappings_ = {{base::Protocol::tcp, 31000, endpoint("172.31.254.3:8080")}};
  const auto snapshot = merged(
      {row(VipName{"foo.bar"}, "192.0.2.10:31000"), row(VipName{"foo.bar"}, "192.0.2.11:31000")});
  ASSERT_EQ(snapshot->services[0]->backends.size(), 2u);
  EXPECT_EQ(snapshot->services[0]->backends[0].dial, endpoint("172.31.254.3:8080"));
  EXPECT_EQ(snapshot->services[0]->backends[1].dial, endpoint("192.0.2.11:31000"));
}

TEST_F(Merging, TheFirstRowDecidesAConflictOfPolicies) {
  auto first = row(VipName{"foo.bar"}, "192.0.2.1:80", 1, "a");
  auto second = row(VipName{"foo.bar"}, "192.0.2.2:80", 1, "b");
  first.policy.pick = PickRule::maglev;
  second.policy.pick = PickRule::random;
  const auto snapshot = merged({second, first});
  EXPECT_EQ(snapshot->services[0]->policy.pick, PickRule::maglev);
  ASSERT_EQ(snapshot->notes.rejected.size(), 1u);
  EXPECT_NE(snapshot->notes.rejected[0].where.find("b"), std::string::npos);
}

TEST_F(Merging, WithIpv6OffOnlyIpv4Remains) {
  options_.enable_ipv6 = false;
  const auto snapshot =
      merged({row(VipName{"foo.bar"}, "192.0.2.1:80"), row(VipName{"foo.bar"}, "[2001:db8::1]:80"),
              row(address("2001:db8::5"), "[2001:db8::1]:80")});
  EXPECT_EQ(snapshot->services.size(), 1u);
  EXPECT_EQ(snapshot->notes.rejected.size(), 1u);
}

TEST_F(Merging, ADrainedBackendKeepsTheName) {
  const auto snapshot = merged({row(VipName{"foo.bar"}, "192.0.2.1:80", 0)});
  EXPECT_EQ(snapshot->names.size(), 1u);
  EXPECT_EQ(snapshot->services[0]->backends[0].weight, 0);
}

}  // namespace
}  // namespace viaduct::service
