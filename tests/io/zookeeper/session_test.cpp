#include "zookeeper/io/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <optional>

#include "tests/support/zookeeper_client.h"
#include "tests/support/zookeeper_server.h"
#include "zookeeper/limits.h"

namespace viaduct::zookeeper {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using test::ZookeeperClient;
using test::ZookeeperServer;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Node node(std::string name, std::string data) { return {std::move(name), std::move(data), ""}; }

/// A session with what it told.
class Reader {
 public:
  explicit Reader(const std::string& url, std::chrono::milliseconds timeout = 1s,
                  std::function<bool(std::string_view)> wanted = {}) {
    session.emplace(
        context,
        Session::Options{
            .url = parse_url(url).value(), .timeout = timeout, .wanted = std::move(wanted)},
        [this](Contents now) { told.push_back(std::move(now)); },
        [this](std::string error) { errors.push_back(std::move(error)); });
    session->start();
  }

  /// Runs until the condition holds, a minute at most: a JVM on a busy machine takes its time.
  template <class Condition>
  bool until(Condition condition) {
    const auto end = steady_clock::now() + 60s;
    while (!condition() && steady_clock::now() < end) context.run_one_for(20ms);
    return condition();
  }
  bool sees(const std::vector<Node>& nodes) {
    return until([&] { return !told.empty() && told.back().nodes == nodes && told.back().exists; });
  }
  bool fails_with(const std::string& text) {
    return until([&] { return !errors.empty() && errors.back().find(text) != std::string::npos; });
  }

  boost::asio::io_context context{1};
  std::vector<Contents> told;
  std::vector<std::string> errors;
  std::optional<Session> session;
};

class ZookeeperSession : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(test::has_zookeeper())
        << "ZooKeeper and a Java are missing: scripts/install.sh test";
    // One server for all tests that leave it running; each has a path of its own.
    static ZookeeperServer shared;
    static bool started = false;
    if (!std::exchange(started, true)) shared.start();
    server = &shared;
  }

  ZookeeperServer* server = nullptr;
};

TEST_F(ZookeeperSession, FollowsTheChildrenOfAPathAndWhatTheyHold) {
  ZookeeperClient client(server->endpoint());
  client.create("/follows");
  client.create("/follows/b", "two");
  client.create("/follows/ignored", "x");
  Reader reader(server->url("/follows"), 1s,
                [](std::string_view name) { return name != "ignored"; });
  ASSERT_TRUE(reader.sees({node("b", "two")}));
  client.create("/follows/a", "one");
  ASSERT_TRUE(reader.sees({node("a", "one"), node("b", "two")}));
  client.set("/follows/b", "");
  ASSERT_TRUE(reader.sees({node("a", "one"), node("b", "")}));
  const auto told = reader.told.size();
  client.set("/follows/ignored", "y");
  client.remove("/follows/a");
  ASSERT_TRUE(reader.sees({node("b", "")}));
  EXPECT_EQ(reader.told.size(), told + 1);
  client.remove("/follows/b");
  ASSERT_TRUE(reader.sees({}));
  EXPECT_THAT(reader.errors, IsEmpty());
  EXPECT_EQ(reader.session->counters().sessions, 1u);
}

TEST_F(ZookeeperSession, APathThatDoesNotExistIsWaitedFor) {
  ZookeeperClient client(server->endpoint());
  Reader reader(server->url("/later/path"));
  ASSERT_TRUE(reader.until([&] { return !reader.told.empty(); }));
  EXPECT_EQ(reader.told.back(), Contents{});
  client.create("/later");
  client.create("/later/path");
  ASSERT_TRUE(reader.sees({}));
  client.create("/later/path/a", "one");
  ASSERT_TRUE(reader.sees({node("a", "one")}));
  client.remove("/later/path/a");
  client.remove("/later/path");
  ASSERT_TRUE(reader.until([&] { return !reader.told.back().exists; }));
  client.create("/later/path");
  ASSERT_TRUE(reader.sees({}));
  EXPECT_THAT(reader.errors, IsEmpty());
}

TEST_F(ZookeeperSession, ANewSessionFollowsOneThatExpired) {
  ZookeeperServer own;  // no other test's session ends here
  own.start();
  ZookeeperClient client(own.endpoint());
  client.create("/expires");
  client.create("/expires/a", "one");
  Reader reader(own.url("/expires"));
  ASSERT_TRUE(reader.sees({node("a", "one")}));
  // The reader does not run, so its session ends; the server logs that.
  const auto end = steady_clock::now() + 60s;
  while (own.log().find("Expiring session") == std::string::npos && steady_clock::now() < end)
    client.set("/expires/a", "two");
  ASSERT_LT(steady_clock::now(), end);
  ASSERT_TRUE(reader.sees({node("a", "two")}));
  ASSERT_TRUE(reader.until([&] { return reader.session->counters().expirations > 0; }));
  ASSERT_TRUE(reader.until([&] { return reader.session->connected(); }));
  client.create("/expires/b", "three");
  ASSERT_TRUE(reader.sees({node("a", "two"), node("b", "three")})) << "the new one watches too";
  EXPECT_EQ(reader.session->counters().sessions, 1 + reader.session->counters().expirations);
}

TEST_F(ZookeeperSession, WhatOneMayNotReadIsSaid) {
  ZookeeperClient owner(server->endpoint(), "viaduct:secret");
  owner.create("/private");
  owner.create_private("/private/hidden", "one");
  owner.create("/private/open", "two");
  owner.create_private("/private/below", "");
  Reader stranger(server->url("/private"), 1s, [](auto name) { return name != "below"; });
  ASSERT_TRUE(stranger.sees({Node{"hidden", "", "not authenticated"}, node("open", "two")}));
  Reader below(server->url("/private/below"));
  ASSERT_TRUE(below.fails_with("read the children of /private/below: not authenticated"));
  EXPECT_THAT(below.told, IsEmpty());

  std::string url = server->url("/private").insert(5, "viaduct:secret@");
  Reader reader(url, 1s, [](auto name) { return name != "below"; });
  ASSERT_TRUE(reader.sees({node("hidden", "one"), node("open", "two")}));
  Reader wrong(server->url("/private/below").insert(5, "viaduct:wrong@"));
  ASSERT_TRUE(wrong.fails_with("not authenticated"));
  EXPECT_THAT(wrong.errors, Not(Contains(HasSubstr("wrong"))));
}

TEST_F(ZookeeperSession, TooManyChildrenAndTooLongContentsAreRefused) {
  ZookeeperClient client(server->endpoint());
  client.create("/many");
  client.create("/many/long", std::string(kMaxNodeBytes + 1, 'x'));
  client.create("/many/fits", std::string(kMaxNodeBytes, 'x'));
  const auto wanted = [](std::string_view name) { return !name.starts_with("n"); };
  Reader reader(server->url("/many"), 1s, wanted);
  const std::vector<Node> expected = {node("fits", std::string(kMaxNodeBytes, 'x')),
                                      {"long", "", "has 65537 octets; at most 65536 are read"}};
  ASSERT_TRUE(reader.sees(expected));
  client.create_many("/many/n", static_cast<int>(kMaxChildren) - 1);
  ASSERT_TRUE(reader.fails_with("/many has 1001 children; at most 1000 are read"));
  EXPECT_EQ(reader.told.back().nodes, expected);
  const auto told = reader.told.size();
  client.remove("/many/n0");
  ASSERT_TRUE(reader.until([&] { return reader.told.size() > told; }))
      << "it is told that the failure is over";
  EXPECT_EQ(reader.told.back().nodes, expected);
}

TEST_F(ZookeeperSession, OneOfTwoServersIsEnough) {
  ZookeeperClient client(server->endpoint());
  client.create("/two");
  std::string url = server->url("/two").insert(5, "127.0.0.1:1,");
  Reader reader(url);
  ASSERT_TRUE(reader.sees({}));
  EXPECT_THAT(reader.errors, IsEmpty());
}

TEST_F(ZookeeperSession, AServersNameIsLookedUp) {
  ZookeeperClient client(server->endpoint());
  Reader reader("zk://no-such-host.invalid," + server->endpoint().to_string() + "/");
  ASSERT_TRUE(reader.until([&] { return !reader.told.empty(); }));
  Reader lost("zk://no-such-host.invalid:2181/mesos");
  ASSERT_TRUE(lost.fails_with("no-such-host.invalid"));
}

TEST_F(ZookeeperSession, NoCallbackComesAfterTheEndOfItsOwner) {
  ZookeeperClient client(server->endpoint());
  client.create("/ends");
  Reader reader(server->url("/ends"));
  ASSERT_TRUE(reader.sees({}));
  reader.session.reset();
  client.create("/ends/a");
  const auto begin = steady_clock::now();
  reader.context.run();
  EXPECT_LT(steady_clock::now() - begin, 1s) << "nothing is waited for";
  EXPECT_EQ(reader.told.size(), 1u);
}

TEST_F(ZookeeperSession, TheLoopMayEndAtAnyTime) {
  {
    Reader connected(server->url("/"));
    ASSERT_TRUE(connected.until([&] { return !connected.told.empty(); }));
  }
  { Reader never_ran(server->url("/")); }
  Reader before(server->url("/"));
  before.session.reset();
  before.context.run();
  EXPECT_THAT(before.told, IsEmpty());
}

TEST_F(ZookeeperSession, AServerThatRestartsIsFoundAgain) {
  ZookeeperServer own;
  own.start();
  {
    ZookeeperClient client(own.endpoint());
    client.create("/restarts");
    client.create("/restarts/a", "one");
  }
  Reader reader(own.url("/restarts"), 20s);  // longer than a restart takes
  ASSERT_TRUE(reader.sees({node("a", "one")}));
  own.kill();
  ASSERT_TRUE(reader.fails_with("can be reached"));
  EXPECT_THAT(reader.errors[0], HasSubstr("the connection is lost"));
  EXPECT_EQ(reader.told.size(), 1u) << "what was told stands";
  EXPECT_FALSE(reader.session->connected());
  own.start();
  ASSERT_TRUE(reader.until([&] { return reader.told.size() == 2; })) << "told that it is over";
  ZookeeperClient client(own.endpoint());
  client.create("/restarts/b", "two");
  ASSERT_TRUE(reader.sees({node("a", "one"), node("b", "two")}));
}

TEST_F(ZookeeperSession, AServerThatIsAwayForLongerThanTheSessionIsFoundAgain) {
  ZookeeperServer own;
  Reader reader(own.url("/away"), 1s);
  ASSERT_TRUE(reader.fails_with("can be reached"));
  EXPECT_THAT(reader.told, IsEmpty());
  own.start();
  std::optional<ZookeeperClient> client(std::in_place, own.endpoint());
  client->create("/away");
  client->create("/away/a", "one");
  ASSERT_TRUE(reader.sees({node("a", "one")}));
  client.reset();
  own.kill();
  ASSERT_TRUE(reader.fails_with("can be reached"));
  const auto sessions = reader.session->counters().sessions;
  ASSERT_TRUE(reader.until([&] { return reader.session->counters().sessions > sessions; }))
      << "after long enough, all is begun anew";
  own.wipe();
  own.start();
  ASSERT_TRUE(reader.until([&] { return reader.told.back() == Contents{}; }));
  client.emplace(own.endpoint());
  client->create("/away");
  client->create("/away/b", "two");
  ASSERT_TRUE(reader.sees({node("b", "two")}));
}

TEST_F(ZookeeperSession, AServerThatHangsBlocksNothing) {
  ZookeeperServer own;
  own.start();
  ZookeeperClient client(own.endpoint());
  client.create("/hangs");
  Reader reader(own.url("/hangs"));
  ASSERT_TRUE(reader.sees({}));
  own.pause();
  ASSERT_TRUE(reader.fails_with("the connection is lost"));
  own.resume();
  ASSERT_TRUE(reader.until([&] { return reader.told.size() == 2; }));
  own.pause();
  const auto begin = steady_clock::now();
  reader.session.reset();
  reader.context.run();
  EXPECT_LT(steady_clock::now() - begin, 1s) << "the end waits for no answer";
  own.resume();
}

TEST_F(ZookeeperSession, AServerOfAnotherKindIsAFailure) {
  boost::asio::io_context context{1};
  boost::asio::ip::tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
  std::vector<boost::asio::ip::tcp::socket> sockets;
  const std::string answer =
      "HTTP/1.1 400 Bad Request\r\nServer: example\r\nContent-Length: 0\r\nX: 123456789\r\n\r\n";
  std::function<void()> accept = [&] {
    acceptor.async_accept([&](auto error, boost::asio::ip::tcp::socket socket) {
      if (error) return;
      boost::system::error_code ignored;
      boost::asio::write(socket, boost::asio::buffer(answer), ignored);
      sockets.push_back(std::move(socket));
      accept();
    });
  };
  accept();
  Reader reader("zk://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/mesos");
  EXPECT_TRUE(reader.until([&] {
    context.poll();
    return !reader.errors.empty() &&
           reader.errors.back().find("not that of a ZooKeeper server") != std::string::npos;
  }));
}

}  // namespace
}  // namespace viaduct::zookeeper
