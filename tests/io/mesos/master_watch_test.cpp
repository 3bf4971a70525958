#include "mesos/io/master_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/io/mesos/watch_harness.h"

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;
using test::CoroExchange;
using test::CoroServer;
namespace asio = boost::asio;

/// Replays octets with cuts and then says no more.
CoroServer::Handler replay(std::string octets, std::vector<std::size_t> ends) {
  return [octets, ends](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.target != "/api/v1" && exchange.target != "/master/api/v1") {
      co_await exchange.answer(404, "no such page");
      co_return;
    }
    EXPECT_EQ(exchange.method, "POST");
    EXPECT_EQ(exchange.headers["accept"], "application/json");
    EXPECT_EQ(exchange.headers["content-type"], "application/json");
    EXPECT_EQ(exchange.body, R"({"type":"SUBSCRIBE"})");
    co_await send_cut(exchange, octets, ends);
    co_await exchange.gone();
  };
}

/// A master with an empty cluster.
CoroServer::Handler empty_master(std::string heartbeat_seconds = "15.0") {
  return replay(stream_head() + chunk(subscribed(heartbeat_seconds)), {});
}

TEST(MasterWatch, HandsOnWhatARecordedStreamChanges) {
  const Changes expected = changes_of({recorded("execute.recordio")});
  ASSERT_GE(expected.tasks_added.size(), 3u);
  const std::string octets = recorded("execute.http");
  for (std::uint64_t seed = 0; seed < 8; seed++) {
    Watcher watcher;
    const auto cuts = seed == 0 ? recorded_cuts(recorded("execute.reads.jsonl"))
                                : random_cuts(octets.size(), seed);
    ASSERT_GT(cuts.size(), 10u);
    CoroServer master(watcher.context, replay(octets, cuts));
    watcher.start(Watcher::config_of({&master}));
    ASSERT_TRUE(watcher.until([&] { return watcher.watch->counters().records == 27; }))
        << "seed " << seed;
    EXPECT_EQ(watcher.changes, expected) << "seed " << seed;
    const auto counters = watcher.watch->counters();
    EXPECT_EQ(counters.subscriptions, 1u);
    EXPECT_EQ(counters.heartbeats, 5u);
    EXPECT_EQ(counters.bytes, recorded("execute.recordio").size());
    EXPECT_TRUE(counters.last_record);
    EXPECT_EQ(watcher.successes, 1);
    EXPECT_TRUE(watcher.watch->is_streaming());
    EXPECT_EQ(watcher.watch->leader(), master.endpoint());
  }
}

TEST(MasterWatch, AFailOverChangesOnlyWhatHasChanged) {
  Watcher watcher;
  bool first_is_gone = false;
  const std::string before = recorded("failover-1.http");
  const std::string after = recorded("failover-2.http");
  CoroServer second(
      watcher.context,
      [&](CoroExchange& exchange) -> asio::awaitable<void> {
        if (!first_is_gone) co_return co_await exchange.redirect("//127.0.0.1:1/master/api/v1");
        if (exchange.target != "/api/v1") co_return co_await exchange.answer(404, "");
        co_await send_cut(exchange, after, random_cuts(after.size(), 7));
        co_await exchange.gone();
      },
      "127.0.0.2");
  CoroServer first(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.target != "/api/v1") co_return co_await exchange.answer(404, "");
    if (first_is_gone) co_return;
    co_await send_cut(exchange, before, random_cuts(before.size(), 3));
    first_is_gone = true;
  });
  watcher.start(Watcher::config_of({&first, &second}));
  const Changes expected =
      changes_of({recorded("failover-1.recordio"), recorded("failover-2.recordio")});
  ASSERT_TRUE(watcher.until([&] { return watcher.changes == expected; }))
      << testing::PrintToString(watcher.failures);
  EXPECT_EQ(watcher.successes, 2);
  EXPECT_EQ(watcher.watch->leader(), second.endpoint());
  EXPECT_GE(watcher.watch->counters().failures, 1u);
}

TEST(MasterWatch, FollowsARedirectWithTheSameRequest) {
  Watcher watcher;
  CoroServer leader(watcher.context, empty_master(), "127.0.0.2");
  CoroServer other(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.redirect("//" + leader.endpoint().to_string() + "/master/api/v1");
  });
  watcher.start(Watcher::config_of({&other}));
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
  EXPECT_EQ(watcher.watch->counters().redirects, 1u);
  EXPECT_EQ(watcher.watch->leader(), leader.endpoint());
  EXPECT_TRUE(watcher.failures.empty());
}

TEST(MasterWatch, RedirectsThatGoRoundEndAndTheNextMasterIsAsked) {
  Watcher watcher;
  CoroServer round(watcher.context, [](CoroExchange& exchange) -> asio::awaitable<void> {
    const std::string other = exchange.target == "/api/v1" ? "/master/api/v1" : "/api/v1";
    co_await exchange.redirect(other);
  });
  CoroServer leader(watcher.context, empty_master(), "127.0.0.2");
  watcher.start(Watcher::config_of({&round, &leader}));
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
  EXPECT_TRUE(watcher.has_failed_with("a loop")) << testing::PrintToString(watcher.failures);
}

/// Each way for a master to be of no use: the failure says what it is, the next master is asked,
/// and what was known stays.
TEST(MasterWatch, AMasterThatIsOfNoUseDoesNotStopTheOthers) {
  const auto sends = [](std::string octets) -> CoroServer::Handler {
    return [octets](CoroExchange& exchange) -> asio::awaitable<void> {
      co_await exchange.send(octets);
    };
  };
  const auto stalls = [](std::string octets) -> CoroServer::Handler {
    return [octets](CoroExchange& exchange) -> asio::awaitable<void> {
      co_await exchange.send(octets);
      co_await exchange.gone();
    };
  };
  const std::pair<CoroServer::Handler, std::string> failures[] = {
      {stalls(""), "timed out"},
      {stalls("HTTP/1.1 200"), "timed out"},
      {stalls(stream_head()), "timed out"},
      {stalls(stream_head() + "5\r\n100\n{"), "timed out"},
      {sends(""), "before the answer was whole"},
      {sends("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "not HTTP/1.1"},
      {stalls(stream_head() + "6\r\n<html>\r\n"), "its length begins with"},
      {stalls(stream_head() + "b\r\n9999999999\n\r\n"), "it is longer than"},
      {stalls(stream_head() + chunk("{\"type\":")), "not usable JSON"},
      {stalls(stream_head() + chunk("{}")), "record 1"},
      {sends(stream_head() + "0\r\n\r\n"), "ended before"},
      {sends("HTTP/1.1 401 X\r\nContent-Length: 3\r\n\r\nno\n"), "gave 401 \"no?\""},
      {sends("HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n"), "gave 403"},
      {sends("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"), "gave 500"},
      {sends("HTTP/1.1 307 X\r\nContent-Length: 0\r\n\r\n"), "which is no URL"},
  };
  for (const auto& [handler, expected] : failures) {
    Watcher watcher;
    CoroServer bad(watcher.context, handler);
    CoroServer good(watcher.context, empty_master(), "127.0.0.2");
    MasterConfig config = Watcher::config_of({&bad, &good});
    config.timeout = 150ms;
    config.max_answer_bytes = 1 << 20;
    watcher.start(config);
    ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; })) << expected;
    EXPECT_EQ(watcher.watch->leader(), good.endpoint());
    ASSERT_FALSE(watcher.failures.empty()) << expected;
    EXPECT_THAT(watcher.failures[0], testing::HasSubstr(expected));
    EXPECT_THAT(watcher.failures[0], testing::HasSubstr(bad.url()));
    EXPECT_EQ(watcher.handed_on, 0);
  }
}

TEST(MasterWatch, AMasterThatRecoversIsAskedAgainSoon) {
  Watcher watcher;
  int asked = 0;
  const auto fine = empty_master();
  CoroServer master(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    if (++asked <= 3) co_return co_await exchange.answer(503, "Master has not finished recovery");
    co_await fine(exchange);
  });
  watcher.start(Watcher::config_of({&master}));
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
  EXPECT_EQ(watcher.failures.size(), 3u);
  EXPECT_TRUE(watcher.has_failed_with("gave 503 \"Master has not finished recovery\""));
}

TEST(MasterWatch, AStreamWithoutHeartbeatsForThreeIntervalsEnds) {
  Watcher watcher;
  CoroServer master(watcher.context, empty_master("0.1"));
  const auto start = base::Clock::now();
  watcher.start(Watcher::config_of({&master}));
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 2; }));
  EXPECT_GE(base::Clock::now() - start, 300ms);
  EXPECT_TRUE(watcher.has_failed_with("timed out"));
}

TEST(MasterWatch, HeartbeatsKeepAStream) {
  Watcher watcher;
  CoroServer master(watcher.context, [](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.send(stream_head() + chunk(subscribed("1.0")));
    while (co_await exchange.send(chunk(R"({"type":"HEARTBEAT"})"))) co_await exchange.wait(20ms);
  });
  watcher.start(Watcher::config_of({&master}));
  ASSERT_TRUE(watcher.until([&] { return watcher.watch->counters().heartbeats >= 10; }));
  EXPECT_EQ(watcher.watch->counters().subscriptions, 1u);
  EXPECT_TRUE(watcher.failures.empty());
}

TEST(MasterWatch, SilenceSaysNothingOfAMasterWithoutHeartbeats) {
  Watcher watcher;
  std::string record = subscribed("0");
  record.replace(record.find(",\"heartbeat"), record.npos, "}}");
  CoroServer master(watcher.context, replay(stream_head() + chunk(record), {}));
  MasterConfig config = Watcher::config_of({&master});
  config.timeout = 100ms;
  watcher.start(config);
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
  watcher.run_for(400ms);
  EXPECT_EQ(watcher.watch->counters().subscriptions, 1u);
  EXPECT_TRUE(watcher.failures.empty());
}

TEST(MasterWatch, ARecordThatCannotBeReadEndsTheStreamForAnEventIsMissing) {
  Watcher watcher;
  bool bad = true;
  CoroServer master(watcher.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.send(stream_head() + chunk(subscribed()));
    if (std::exchange(bad, false)) co_await exchange.send(chunk("{\"type\":"));
    co_await exchange.gone();
  });
  watcher.start(Watcher::config_of({&master}));
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 2; }));
  ASSERT_EQ(watcher.failures.size(), 1u);
  EXPECT_THAT(watcher.failures[0], testing::HasSubstr("record 2: "));
}

TEST(MasterWatch, ASnapshotOfMegabytesIsReadWhole) {
  Watcher watcher;
  std::string record = subscribed();
  record.insert(record.find("\"tasks\":[]"), "\"filler\":\"" + std::string(3'000'000, 'x') + "\",");
  const std::string octets = stream_head() + chunk(record);
  CoroServer master(watcher.context, replay(octets, random_cuts(2000, 1)));
  watcher.start(Watcher::config_of({&master}));
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
  EXPECT_GT(watcher.watch->counters().bytes, 3'000'000u);
  EXPECT_TRUE(watcher.failures.empty());
}

TEST(MasterWatch, ANewLeaderIsAskedAtOnceAndTheOldOnesStreamEnds) {
  Watcher watcher;
  CoroServer first(watcher.context, empty_master());
  CoroServer second(watcher.context, empty_master(), "127.0.0.2");
  MasterConfig config;
  config.zookeeper = "zk://127.0.0.1:1/mesos";
  watcher.start(config);
  watcher.run_for(20ms);
  EXPECT_EQ(watcher.successes, 0) << "nobody is known";
  watcher.watch->set_masters({{first.endpoint(), second.endpoint()}, first.endpoint()});
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
  EXPECT_EQ(first.open_connections(), 1u);
  watcher.watch->set_masters({{second.endpoint(), first.endpoint()}, first.endpoint()});
  watcher.watch->set_masters({{first.endpoint(), second.endpoint()}, std::nullopt});
  watcher.run_for(20ms);
  EXPECT_EQ(watcher.successes, 1) << "who leads still does";
  watcher.watch->set_masters({{first.endpoint(), second.endpoint()}, second.endpoint()});
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 2; }));
  EXPECT_EQ(watcher.watch->leader(), second.endpoint());
  ASSERT_TRUE(watcher.until([&] { return first.open_connections() == 0; }));
  EXPECT_TRUE(watcher.failures.empty()) << watcher.failures[0];
}

TEST(MasterWatch, ALeaderThatIsAnnouncedIsNotKeptWaitingByABackOffOrAHang) {
  Watcher watcher;
  CoroServer hangs(watcher.context, [](CoroExchange& exchange) { return exchange.gone(); });
  CoroServer leader(watcher.context, empty_master(), "127.0.0.2");
  MasterWatch::Timing slow = Watcher::fast();
  slow.retry_min = 1h;
  slow.retry_max = 1h;
  watcher.start(Watcher::config_of({&hangs}), slow);
  ASSERT_TRUE(watcher.until([&] { return hangs.open_connections() == 1; }));
  watcher.watch->set_masters({{leader.endpoint()}, leader.endpoint()});
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
  EXPECT_EQ(hangs.accepted(), 1u);
}

TEST(MasterWatch, AfterStopNothingIsCalledAndAllIsClosed) {
  Watcher watcher;
  CoroServer master(watcher.context, [](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.send(stream_head() + chunk(subscribed()));
    while (co_await exchange.send(chunk(R"({"type":"HEARTBEAT"})"))) co_await exchange.wait(1ms);
  });
  watcher.start(Watcher::config_of({&master}));
  ASSERT_TRUE(watcher.until([&] { return watcher.watch->counters().heartbeats > 3; }));
  watcher.watch->stop();
  ASSERT_TRUE(watcher.until([&] { return master.open_connections() == 0; }));
  EXPECT_EQ(watcher.successes, 1);
  EXPECT_TRUE(watcher.failures.empty());
  watcher.watch.reset();
  watcher.run_for(20ms);
  EXPECT_EQ(master.accepted(), 1u);
}

TEST(MasterWatch, TheLoopMayEndWithAStreamUnderWay) {
  Watcher watcher;
  CoroServer master(watcher.context, empty_master());
  watcher.start(Watcher::config_of({&master}));
  EXPECT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
}

TEST(MasterWatch, MayBeDestroyedBeforeItRan) {
  Watcher watcher;
  CoroServer master(watcher.context, empty_master());
  watcher.start(Watcher::config_of({&master}));
  watcher.watch.reset();
  watcher.run_for(20ms);
  EXPECT_EQ(watcher.successes, 0);
  EXPECT_EQ(master.accepted(), 0u);
}

}  // namespace
}  // namespace viaduct::mesos
