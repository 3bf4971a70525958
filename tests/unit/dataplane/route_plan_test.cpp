#include "dataplane/route_plan.h"

#include <gtest/gtest.h>

#include <memory>

namespace viaduct::dataplane {
namespace {

using Addresses = std::set<base::Address>;

base::Address vip(unsigned number) { return base::Address::v4(0xc6336400U + number); }

service::Snapshot snapshot_of(const std::vector<std::pair<unsigned, std::uint16_t>>& vips) {
  service::Snapshot made;
  made.complete = true;
  service::Services::Editor services(made.services);
  for (const auto& [number, port] : vips) {
    auto service = std::make_shared<service::Service>();
    service->key = {vip(number), port, base::Protocol::tcp};
    services.put(std::move(service));
  }
  made.services = services.finish();
  return made;
}

TEST(RoutePlan, FindsWhatIsStaleAndWhatIsMissing) {
  const RoutePlan plan = plan_routes({vip(1), vip(2)}, snapshot_of({{2, 80}, {3, 80}}), nullptr);
  EXPECT_EQ(plan.stale, Addresses{vip(1)});
  EXPECT_EQ(plan.missing, Addresses{vip(3)});
}

TEST(RoutePlan, ARouteStaysForTheLastPortOfAnAddress) {
  const auto known = snapshot_of({{1, 80}, {1, 81}});
  EXPECT_TRUE(plan_routes({vip(1)}, snapshot_of({{1, 81}}), &known).stale.empty());
  EXPECT_EQ(plan_routes({vip(1)}, snapshot_of({}), &known).stale, Addresses{vip(1)});
}

TEST(RoutePlan, LooksOnlyAtWhatDiffersFromWhatIsKnown) {
  const auto known = snapshot_of({{1, 80}, {2, 80}});
  auto next = known;
  service::Services::Editor services(next.services);
  services.put(snapshot_of({{3, 80}}).services[0]);
  next.services = services.finish();
  EXPECT_EQ(plan_routes({}, next, &known).missing, Addresses{vip(3)})
      << "1 and 2 were refused before";
  EXPECT_EQ(plan_routes({}, next, nullptr).missing.size(), 3u);
}

TEST(RoutePlan, AnIncompleteSnapshotMakesNoRouteStale) {
  auto incomplete = snapshot_of({{2, 80}});
  incomplete.complete = false;
  const RoutePlan plan = plan_routes({vip(1)}, incomplete, nullptr);
  EXPECT_TRUE(plan.stale.empty());
  EXPECT_EQ(plan.missing, Addresses{vip(2)});
}

}  // namespace
}  // namespace viaduct::dataplane
