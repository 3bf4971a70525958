#include "dataplane/drain.h"

#include <gmock/gmock.h>

#include <chrono>

namespace viaduct::dataplane {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const service::VipKey kVip{base::Address::v4(0xc6336401U), 80, base::Protocol::tcp};
const base::Endpoint kFirst{base::Address::v4(0xc0000201U), 8080};
const base::Endpoint kSecond{base::Address::v4(0xc0000202U), 8080};
constexpr base::Time kStart{1h};

using Weights = std::map<base::Endpoint, std::uint16_t>;

std::shared_ptr<const service::Snapshot> snapshot(const Weights& weights,
                                                  std::optional<std::chrono::seconds> drain) {
  auto service = std::make_shared<service::Service>();
  service->key = kVip;
  service->policy.drain = drain;
  for (const auto& [endpoint, weight] : weights)
    service->backends.push_back({endpoint, weight, endpoint, "node1", "task"});
  auto made = std::make_shared<service::Snapshot>();
  made->services = service::Services(std::vector<std::shared_ptr<const service::Service>>{service});
  return made;
}

/// Shows it snapshots one after the other.
class Watched {
 public:
  void see(std::shared_ptr<const service::Snapshot> next, base::Time now) {
    drains.see(*next, last_.get(), now);
    last_ = std::move(next);
  }
  Drains drains;

 private:
  std::shared_ptr<const service::Snapshot> last_;
};

TEST(Drains, AreOverWhenTheTimeOfThePolicyHasPassed) {
  Watched watched;
  watched.see(snapshot({{kFirst, 1}, {kSecond, 1}}, 30s), kStart);
  EXPECT_EQ(watched.drains.next(), std::nullopt);
  watched.see(snapshot({{kFirst, 0}, {kSecond, 1}}, 30s), kStart + 10s);
  EXPECT_EQ(watched.drains.next(), kStart + 40s);
  EXPECT_THAT(watched.drains.take_due(kStart + 39s), IsEmpty());
  EXPECT_FALSE(watched.drains.is_over(kVip, kFirst, kStart + 39s));
  EXPECT_TRUE(watched.drains.is_over(kVip, kFirst, kStart + 40s));
  EXPECT_FALSE(watched.drains.is_over(kVip, kSecond, kStart + 40s));
  EXPECT_THAT(watched.drains.take_due(kStart + 40s), ElementsAre(kVip));
  EXPECT_THAT(watched.drains.take_due(kStart + 41s), IsEmpty()) << "told once";
  EXPECT_EQ(watched.drains.next(), std::nullopt);
  EXPECT_TRUE(watched.drains.is_over(kVip, kFirst, kStart + 50s)) << "and stays over";
}

TEST(Drains, GoOnWhenSomethingElseOfTheServiceChanges) {
  Watched watched;
  watched.see(snapshot({{kFirst, 0}}, 30s), kStart);
  watched.see(snapshot({{kFirst, 0}, {kSecond, 5}}, 30s), kStart + 20s);
  EXPECT_EQ(watched.drains.next(), kStart + 30s);
  watched.see(snapshot({{kFirst, 0}, {kSecond, 5}}, 5s), kStart + 21s);
  EXPECT_TRUE(watched.drains.is_over(kVip, kFirst, kStart + 21s)) << "a shorter time, in the past";
}

TEST(Drains, BeginAnewAfterAWeight) {
  Watched watched;
  watched.see(snapshot({{kFirst, 0}}, 30s), kStart);
  watched.see(snapshot({{kFirst, 1}}, 30s), kStart + 10s);
  EXPECT_EQ(watched.drains.next(), std::nullopt);
  watched.see(snapshot({{kFirst, 0}}, 30s), kStart + 20s);
  EXPECT_EQ(watched.drains.next(), kStart + 50s);
}

TEST(Drains, NeverEndWithoutALimitAndAtOnceWithZero) {
  Watched watched;
  watched.see(snapshot({{kFirst, 0}}, std::nullopt), kStart);
  EXPECT_FALSE(watched.drains.is_over(kVip, kFirst, kStart + 1000h));
  watched.see(snapshot({{kFirst, 0}}, 0s), kStart + 1s);
  EXPECT_TRUE(watched.drains.is_over(kVip, kFirst, kStart + 1s));
}

TEST(Drains, AreForgottenWithTheirService) {
  Watched watched;
  watched.see(snapshot({{kFirst, 0}}, 30s), kStart);
  watched.see(std::make_shared<service::Snapshot>(), kStart + 1s);
  EXPECT_EQ(watched.drains.next(), std::nullopt);
  EXPECT_FALSE(watched.drains.is_over(kVip, kFirst, kStart + 31s));
}

TEST(Drains, AnEndpointThatAnotherRowGivesAWeightDoesNotDrain) {
  auto made = std::make_shared<service::Snapshot>();
  auto service = std::make_shared<service::Service>();
  service->key = kVip;
  service->policy.drain = 0s;
  service->backends = {{kFirst, 0, kSecond, "node1", "a"}, {kSecond, 1, kSecond, "node1", "b"}};
  made->services = service::Services(std::vector<std::shared_ptr<const service::Service>>{service});
  Watched watched;
  watched.see(made, kStart);
  EXPECT_FALSE(watched.drains.is_over(kVip, kSecond, kStart + 1s));
}

}  // namespace
}  // namespace viaduct::dataplane
