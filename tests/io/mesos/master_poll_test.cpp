#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mesos/io/master_watch.h"
#include "tests/io/mesos/watch_harness.h"

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;
using test::CoroExchange;
using test::CoroServer;
namespace asio = boost::asio;

/// The recorded state as the master at that address would tell it.
std::string state_of(const base::Endpoint& leader) {
  std::string state = recorded("failover.state.json");
  const std::string own = "\"leader\":\"master@10.77.0.12:5050\"";
  const std::size_t at = state.find(own);
  EXPECT_NE(at, state.npos);
  return state.replace(at, own.size(), "\"leader\":\"master@" + leader.to_string() + "\"");
}

Changes changes_of_state(const std::string& body) {
  Changes changes;
  MasterState state;
  changes.add(without_masters(state.on_state(body, base::Clock::now()).value().change));
  return changes;
}

/// A stream with one framework.
std::string stream_with_framework() {
  return stream_head() + chunk(subscribed()) +
         chunk(
             R"({"type":"FRAMEWORK_ADDED",)"
             R"("framework_added":{"framework":{"framework_info":{"user":"root","name":"marathon",)"
             R"("id":{"value":"F1"},"hostname":"","roles":["*"]},"active":true,"connected":true,)"
             R"("recovered":false}}})");
}

TEST(MasterPoll, AMasterWithoutSubscribeIsPolled) {
  for (const unsigned status : {400u, 404u, 405u, 415u, 501u}) {
    Watcher watcher;
    CoroServer* self = nullptr;
    CoroServer master(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
      if (exchange.target == "/api/v1") co_return co_await exchange.answer(status, "no");
      if (exchange.target != "/master/state") co_return co_await exchange.answer(404, "");
      EXPECT_EQ(exchange.method, "GET");
      co_await exchange.answer(200, state_of(self->endpoint()));
    });
    self = &master;
    watcher.start(Watcher::config_of({&master}));
    ASSERT_TRUE(watcher.until([&] { return watcher.successes == 3; })) << status;
    EXPECT_EQ(watcher.changes, changes_of_state(state_of(master.endpoint())));
    EXPECT_GE(watcher.changes.tasks_added.size(), 1u);
    EXPECT_GE(watcher.watch->counters().polls, 3u);
    EXPECT_TRUE(watcher.failures.empty()) << watcher.failures[0];
    EXPECT_FALSE(watcher.watch->is_streaming());
  }
}

TEST(MasterPoll, AnOlderPathIsTriedToo) {
  Watcher watcher;
  CoroServer* self = nullptr;
  CoroServer master(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.target != "/state") co_return co_await exchange.answer(404, "");
    co_await exchange.answer(200, state_of(self->endpoint()));
  });
  self = &master;
  watcher.start(Watcher::config_of({&master}));
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
}

TEST(MasterPoll, TheLeaderThatAStateNamesIsAskedAndNobodyElseIsBelieved) {
  Watcher watcher;
  CoroServer* self = nullptr;
  CoroServer leader(
      watcher.context,
      [&](CoroExchange& exchange) -> asio::awaitable<void> {
        if (exchange.target != "/master/state") co_return co_await exchange.answer(404, "");
        co_await exchange.answer(200, state_of(self->endpoint()));
      },
      "127.0.0.2");
  self = &leader;
  CoroServer follower(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.target != "/master/state") co_return co_await exchange.answer(404, "");
    co_await exchange.answer(200, R"({"slaves":[],"frameworks":[],"leader":"master@)" +
                                      leader.endpoint().to_string() + "\"}");
  });
  watcher.start(Watcher::config_of({&follower}));
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 2; }));
  EXPECT_EQ(watcher.changes, changes_of_state(state_of(leader.endpoint())));
  EXPECT_EQ(watcher.watch->leader(), leader.endpoint());
  EXPECT_TRUE(watcher.failures.empty());
}

TEST(MasterPoll, AStateWithoutLeaderOrOfTwoThatNameEachOtherChangesNothing) {
  Watcher watcher;
  std::string first_leader;
  CoroServer first(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.target != "/master/state") co_return co_await exchange.answer(404, "");
    co_await exchange.answer(200, R"({"slaves":[],"frameworks":[])" + first_leader + "}");
  });
  CoroServer second(
      watcher.context,
      [&](CoroExchange& exchange) -> asio::awaitable<void> {
        if (exchange.target != "/master/state") co_return co_await exchange.answer(404, "");
        co_await exchange.answer(200, R"({"slaves":[],"frameworks":[],"leader":"master@)" +
                                          first.endpoint().to_string() + "\"}");
      },
      "127.0.0.2");
  watcher.start(Watcher::config_of({&first}));
  ASSERT_TRUE(watcher.until([&] { return watcher.has_failed_with("the master knows none"); }));
  first_leader = R"(,"leader":"master@)" + second.endpoint().to_string() + "\"";
  ASSERT_TRUE(watcher.until([&] { return watcher.has_failed_with("has named another one"); }));
  EXPECT_EQ(watcher.successes, 0);
  EXPECT_EQ(watcher.handed_on, 0);
}

TEST(MasterPoll, AStateThatFailsLeavesWhatWasKnown) {
  Watcher watcher;
  CoroServer* self = nullptr;
  bool broken = false;
  CoroServer master(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.target != "/master/state") co_return co_await exchange.answer(404, "");
    std::string state = state_of(self->endpoint());
    if (broken) state.resize(state.size() / 2);
    co_await exchange.answer(200, state);
  });
  self = &master;
  watcher.start(Watcher::config_of({&master}));
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
  broken = true;
  ASSERT_TRUE(watcher.until([&] { return watcher.failures.size() >= 2; }));
  EXPECT_TRUE(watcher.has_failed_with("not usable JSON"));
  EXPECT_TRUE(watcher.changes.tasks_removed.empty());
  EXPECT_GE(watcher.watch->state().counts().tasks, 1u);
}

TEST(MasterPoll, AStateOverTheLimitIsRefused) {
  Watcher watcher;
  CoroServer* self = nullptr;
  CoroServer master(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.target != "/master/state") co_return co_await exchange.answer(404, "");
    co_await exchange.answer(200, state_of(self->endpoint()));
  });
  self = &master;
  MasterConfig config = Watcher::config_of({&master});
  config.max_answer_bytes = 5000;
  watcher.start(config);
  ASSERT_TRUE(watcher.until([&] { return watcher.has_failed_with("more than 5000 bytes"); }));
  EXPECT_EQ(watcher.successes, 0);
}

TEST(MasterPoll, TheSummaryTellsWhereSchedulersAre) {
  for (const std::string path : {"/master/state-summary", "/master/frameworks"}) {
    Watcher watcher;
    CoroServer master(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
      if (exchange.target == "/api/v1") {
        co_await exchange.send(stream_with_framework());
        co_return co_await exchange.gone();
      }
      if (exchange.target != path) co_return co_await exchange.answer(404, "");
      co_await exchange.answer(200, R"({"frameworks":[{"id":"F1","name":"marathon",)"
                                    R"("pid":"scheduler-1@192.0.2.7:1234"}]})");
    });
    watcher.start(Watcher::config_of({&master}));
    ASSERT_TRUE(watcher.until([&] { return !watcher.changes.added.empty(); })) << path;
    ASSERT_TRUE(watcher.until([&] {
      return watcher.changes.added.back().addresses ==
             std::vector{*base::Address::parse("192.0.2.7")};
    }));
    EXPECT_EQ(watcher.changes.added.back().port, 1234);
    EXPECT_EQ(watcher.watch->counters().summaries, 1u);
    EXPECT_TRUE(watcher.failures.empty()) << watcher.failures[0];
  }
}

TEST(MasterPoll, ASummaryThatFailsIsAskedForAgainAndTheStreamGoesOn) {
  Watcher watcher;
  int asked = 0;
  CoroServer master(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.target == "/api/v1") {
      co_await exchange.send(stream_with_framework());
      co_return co_await exchange.gone();
    }
    if (exchange.target != "/master/state-summary") co_return co_await exchange.answer(404, "");
    if (++asked < 3) co_return co_await exchange.answer(200, "{\"frameworks\":");
    co_await exchange.answer(200, R"({"frameworks":[]})");
  });
  watcher.start(Watcher::config_of({&master}));
  ASSERT_TRUE(watcher.until([&] { return asked == 3; }));
  EXPECT_EQ(watcher.watch->counters().failures, 2u);
  EXPECT_TRUE(watcher.failures.empty()) << "nothing that the stream tells has failed";
  EXPECT_EQ(watcher.watch->counters().subscriptions, 1u);
}

TEST(MasterPoll, HostNamesOfSchedulersAreLookedUp) {
  Watcher watcher;
  CoroServer master(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.target == "/api/v1") {
      co_await exchange.send(stream_with_framework());
      co_return co_await exchange.gone();
    }
    co_await exchange.answer(200, R"({"frameworks":[{"id":"F1","name":"marathon",)"
                                  R"("pid":"scheduler-1@localhost:1234"}]})");
  });
  MasterWatch::Timing timing = Watcher::fast();
  timing.hosts_pause = 1ms;
  watcher.start(Watcher::config_of({&master}), timing);
  ASSERT_TRUE(watcher.until([&] { return watcher.watch->counters().lookups >= 1; }));
  watcher.run_for(50ms);
  EXPECT_EQ(watcher.watch->counters().lookups, 1u) << "a name is looked up once in a minute";
  EXPECT_EQ(watcher.watch->state().hosts(), std::vector<std::string>{"localhost"});
}

}  // namespace
}  // namespace viaduct::mesos
