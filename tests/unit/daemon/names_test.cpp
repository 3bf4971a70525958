#include "daemon/names.h"

#include <gtest/gtest.h>

namespace viaduct::daemon {
namespace {

base::Address address(const char* text) { return *base::Address::parse(text); }

std::shared_ptr<const service::Snapshot> with_names(std::vector<service::NamedVip> names) {
  auto snapshot = std::make_shared<service::Snapshot>();
  snapshot->names = std::move(names);
  return snapshot;
}

TEST(CommonNames, ANameThatComesWaitsAndOneThatGoesIsGone) {
  const auto shown =
      with_names({{"goes.x", {address("11.0.0.1")}}, {"stays.x", {address("11.0.0.2")}}});
  const auto next =
      with_names({{"comes.x", {address("11.0.0.3")}}, {"stays.x", {address("11.0.0.2")}}});
  const auto common = common_names(next, shown.get());
  ASSERT_EQ(common->names.size(), 1u);
  EXPECT_EQ(common->names[0].name, "stays.x");
}

TEST(CommonNames, ANameWhoseAddressChangesIsNotShownMeanwhile) {
  const auto shown = with_names({{"a.x", {address("11.0.0.1")}}});
  const auto next = with_names({{"a.x", {address("11.0.0.9")}}});
  EXPECT_TRUE(common_names(next, shown.get())->names.empty());
}

TEST(CommonNames, IsTheSameSnapshotWhenNothingIsTakenAway) {
  const auto shown = with_names({{"a.x", {address("11.0.0.1")}}, {"b.x", {address("11.0.0.2")}}});
  const auto next = with_names({{"a.x", {address("11.0.0.1")}}});
  EXPECT_EQ(common_names(next, shown.get()), next);
  EXPECT_TRUE(common_names(next, nullptr)->names.empty());
}

TEST(WithoutFailed, LeavesOutNamesOfServicesThatTheKernelDoesNotHave) {
  const auto all = with_names(
      {{"a.x", {address("11.0.0.1")}}, {"b.x", {address("11.0.0.2"), address("fd01:c::2")}}});
  const auto rest = without_failed(all, {{address("fd01:c::2"), 80, base::Protocol::tcp}});
  ASSERT_EQ(rest->names.size(), 1u);
  EXPECT_EQ(rest->names[0].name, "a.x");
  EXPECT_EQ(without_failed(all, {}), all);
}

}  // namespace
}  // namespace viaduct::daemon
