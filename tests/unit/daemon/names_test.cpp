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

TEST(NamesDiffer, WhenNamesAddressesOrCompletenessDo) {
  const auto shown = with_names({{"a.x", {address("11.0.0.1")}}});
  EXPECT_TRUE(names_differ(*shown, nullptr));
  EXPECT_FALSE(names_differ(*with_names({{"a.x", {address("11.0.0.1")}}}), shown.get()));
  EXPECT_TRUE(names_differ(*with_names({{"a.x", {address("11.0.0.2")}}}), shown.get()));
  EXPECT_TRUE(names_differ(*with_names({}), shown.get()));
  auto complete = std::make_shared<service::Snapshot>(*shown);
  complete->complete = true;
  EXPECT_TRUE(names_differ(*complete, shown.get()));
}

std::shared_ptr<const service::Service> named(const char* name, const char* vip,
                                              std::uint16_t port = 80) {
  auto made = std::make_shared<service::Service>();
  made->key = {address(vip), port, base::Protocol::tcp};
  made->name = name;
  return made;
}

/// A snapshot with these services and their names.
std::shared_ptr<const service::Snapshot> with_services(
    std::vector<std::shared_ptr<const service::Service>> services) {
  auto snapshot = std::make_shared<service::Snapshot>();
  service::NamedVips::Editor names(snapshot->names);
  for (const auto& service : services)
    if (!service->name.empty()) names.put({service->name, {service->key.address}});
  snapshot->names = names.finish();
  snapshot->services = std::move(services);
  return snapshot;
}

std::shared_ptr<const service::Snapshot> with_task(const char* own) {
  service::TaskRow row;
  row.framework = "marathon";
  row.id = "web.1";
  row.name = "web";
  row.addresses = {{service::AddressSource::netinfo, address(own)}};
  auto snapshot = std::make_shared<service::Snapshot>();
  snapshot->tasks = {std::make_shared<const service::Task>(service::Task{row, "node1"})};
  return snapshot;
}

TEST(NamesDiffer, WhenTasksDo) {
  const auto shown = with_task("198.51.100.5");
  EXPECT_FALSE(names_differ(*shown, shown.get()));
  EXPECT_TRUE(names_differ(*with_task("198.51.100.6"), shown.get()));
  EXPECT_TRUE(names_differ(*with_names({}), shown.get()));
}

TEST(NamesDiffer, WhenPortsOfNamedVipsDoAndNotWhenBackendsDo) {
  const auto shown = with_services({named("a.x", "11.0.0.1"), named("", "11.0.0.2")});
  EXPECT_TRUE(names_differ(
      *with_services({named("a.x", "11.0.0.1"), named("a.x", "11.0.0.1", 443)}), shown.get()));
  EXPECT_FALSE(
      names_differ(*with_services({named("a.x", "11.0.0.1"), named("", "11.0.0.3")}), shown.get()));
  auto drained = std::make_shared<service::Service>(*named("a.x", "11.0.0.1"));
  drained->backends.push_back({});
  EXPECT_FALSE(names_differ(*with_services({drained, named("", "11.0.0.2")}), shown.get()));
}

TEST(CommonNames, APortThatComesWaitsAndATaskDoesNot) {
  const auto shown = with_services({named("a.x", "11.0.0.1")});
  auto next = std::make_shared<service::Snapshot>(
      *with_services({named("a.x", "11.0.0.1"), named("a.x", "11.0.0.1", 443)}));
  next->tasks = with_task("198.51.100.5")->tasks;
  const auto common = common_names(next, shown.get());
  EXPECT_EQ(common->names.size(), 1u);
  EXPECT_EQ(common->services.size(), 1u);
  EXPECT_EQ(common->tasks.size(), 1u);
}

TEST(WithLeaving, KeepsTheServicesOfNamesThatAreStillInDns) {
  auto shown = std::make_shared<service::Snapshot>(
      *with_services({named("goes.x", "11.0.0.1"), named("goes.x", "11.0.0.1", 81),
                      named("stays.x", "11.0.0.2"), named("", "11.0.0.3")}));
  shown->revision = 4;
  const auto next = with_services({named("stays.x", "11.0.0.2")});
  const auto kernel = with_leaving(next, *shown, *shown);
  EXPECT_EQ(kernel->services.size(), 3u) << "an address that is no name's may go at once";
  EXPECT_EQ(kernel->revision, 4u);
  EXPECT_EQ(kernel->names.size(), 1u);
  EXPECT_EQ(with_leaving(next, *next, *next), next);
}

TEST(HandsOver, WhenANamesAddressBecomesSomebodyElses) {
  const auto shown = with_services({named("a.x", "11.0.0.1")});
  EXPECT_TRUE(hands_over(*with_services({named("b.x", "11.0.0.1")}), *shown));
  EXPECT_TRUE(hands_over(*with_services({named("", "11.0.0.1", 443)}), *shown));
  EXPECT_FALSE(hands_over(*with_services({named("a.x", "11.0.0.1", 443)}), *shown));
  EXPECT_FALSE(hands_over(*with_services({named("a.x", "11.0.0.7")}), *shown));
}

TEST(WithoutFailed, LeavesOutNamesOfServicesThatTheKernelDoesNotHave) {
  const auto all = with_services({named("a.x", "11.0.0.1"), named("b.x", "fd01:c::2")});
  const auto rest = without_failed(all, {{address("fd01:c::2"), 80, base::Protocol::tcp}});
  ASSERT_EQ(rest->names.size(), 1u);
  EXPECT_EQ(rest->names[0].name, "a.x");
  ASSERT_EQ(rest->services.size(), 1u);
  EXPECT_EQ(rest->services[0]->name, "a.x") << "DNS tells the ports of services";
  EXPECT_EQ(without_failed(all, {}), all);
}

}  // namespace
}  // namespace viaduct::daemon
