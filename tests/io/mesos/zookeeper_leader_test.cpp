#include "mesos/io/zookeeper_leader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>

#include "base/bytes.h"
#include "tests/support/zookeeper_client.h"
#include "tests/support/zookeeper_server.h"

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using test::ZookeeperClient;
using test::ZookeeperServer;
using testing::HasSubstr;
using testing::IsEmpty;

const base::Endpoint kFirst = base::Endpoint::parse("10.77.0.11:5050").value();
const base::Endpoint kSecond = base::Endpoint::parse("10.77.0.12:5050").value();

std::string info(const base::Endpoint& master) {
  return R"({"address":{"ip":")" + master.address.to_string() +
         R"(","port":5050},"ip":1,"port":1,"version":"1.12.0"})";
}

/// What a master before Mesos 0.28 writes.
std::string old_info() {
  base::Writer writer;
  for (const std::uint64_t number : {2U << 3U, 201346314U, 3U << 3U, 5050U}) writer.varint(number);
  return std::string(base::as_text(writer.bytes()));
}

class Follower {
 public:
  explicit Follower(const std::string& url) {
    leader.emplace(
        context, zookeeper::parse_url(url).value(), 1s,
        [this](Masters masters) { told.push_back(std::move(masters)); },
        [this](std::string error) { errors.push_back(std::move(error)); });
    leader->start();
  }
  template <class Condition>
  bool until(Condition condition) {
    const auto end = steady_clock::now() + 60s;
    while (!condition() && steady_clock::now() < end) context.run_one_for(20ms);
    return condition();
  }
  bool sees(const Masters& masters) {
    return until([&] { return !told.empty() && told.back() == masters; });
  }

  boost::asio::io_context context{1};
  std::vector<Masters> told;
  std::vector<std::string> errors;
  std::optional<ZookeeperLeader> leader;
};

TEST(ZookeeperLeader, FollowsTheMastersFromNoneToNone) {
  ASSERT_TRUE(test::has_zookeeper()) << "ZooKeeper and a Java are missing: scripts/install.sh test";
  ZookeeperServer server;
  server.start();
  ZookeeperClient client(server.endpoint());
  Follower follower(server.url("/mesos"));
  ASSERT_TRUE(follower.sees(Masters{})) << "there is no path yet";
  client.create("/mesos");
  client.create("/mesos/log_replicas");
  client.create("/mesos/json.info_0000000001", info(kFirst));
  ASSERT_TRUE(follower.sees({.all = {kFirst}, .leader = kFirst}));
  client.create("/mesos/info_0000000002", old_info());
  ASSERT_TRUE(follower.sees({.all = {kFirst, kSecond}, .leader = kFirst}));
  client.remove("/mesos/json.info_0000000001");
  ASSERT_TRUE(follower.sees({.all = {kSecond}, .leader = kSecond}));
  client.create("/mesos/json.info_0000000003", info(kFirst));
  ASSERT_TRUE(follower.sees({.all = {kSecond, kFirst}, .leader = kSecond}));
  client.remove("/mesos/info_0000000002");
  client.remove("/mesos/json.info_0000000003");
  ASSERT_TRUE(follower.sees(Masters{}));
  EXPECT_THAT(follower.errors, IsEmpty());

  client.create("/mesos/json.info_0000000004", info(kSecond));
  ASSERT_TRUE(follower.sees({.all = {kSecond}, .leader = kSecond}));
  const auto told = follower.told.size();
  server.kill();
  ASSERT_TRUE(follower.until([&] { return follower.errors.size() >= 2; }));
  EXPECT_THAT(follower.errors.back(), HasSubstr("can be reached"));
  EXPECT_EQ(follower.told.size(), told) << "the last known leader stays";
  server.start();
  ASSERT_TRUE(follower.until([&] { return follower.told.size() > told; }));
  EXPECT_EQ(follower.told.back(), (Masters{.all = {kSecond}, .leader = kSecond}));
}

}  // namespace
}  // namespace viaduct::mesos
