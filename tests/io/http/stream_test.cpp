#include "http/io/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/io/file.h"
#include "base/rng.h"
#include "http/errors.h"
#include "http/record_io.h"
#include "tests/support/coro_server.h"

namespace viaduct::http {
namespace {

using namespace std::chrono_literals;
using test::CoroExchange;
using test::CoroServer;
using testing::HasSubstr;
namespace asio = boost::asio;

constexpr auto kLong = 20s;
const Request kPlain;

class StreamTest : public testing::Test {
 protected:
  /// Runs a coroutine to its end, for 30 s at most.
  void run(asio::awaitable<void> what) {
    bool done = false;
    asio::co_spawn(context, std::move(what), [&](std::exception_ptr thrown) {
      EXPECT_FALSE(thrown);
      done = true;
    });
    const auto end = base::Clock::now() + 30s;
    while (!done && base::Clock::now() < end) context.run_one_for(50ms);
    ASSERT_TRUE(done);
  }

  static Stream::Deadlines within(base::Duration time) {
    return {base::Clock::now() + time, base::Clock::now() + time};
  }

  /// @param request  null: a plain one. (GCC 12 destroys temporaries of aggregates within co_await
  /// twice, so here and below they have names.)
  static asio::awaitable<base::Result<Response>> open(Stream& stream, const CoroServer& server,
                                                      base::Duration time = kLong,
                                                      const Request* request = nullptr) {
    const Origin origin = parse_origin(server.url()).value();
    Request own;
    if (request != nullptr) own = *request;
    co_return co_await stream.open(origin, own, within(time));
  }

  /// The whole body, or the error.
  static asio::awaitable<base::Result<std::string>> rest(Stream& stream) {
    std::string body;
    while (true) {
      const auto piece = co_await stream.read(base::Clock::now() + kLong);
      if (!piece) co_return piece.error();
      if (piece->empty()) co_return body;
      EXPECT_LE(piece->size(), kMaxAnswerBufferBytes);
      body += *piece;
    }
  }

  asio::io_context context{1};
};

std::string recorded(const std::string& name) {
  return base::read_file(VIADUCT_TEST_DATA "/mesos/stream/" + name, 1 << 20).value();
}

TEST_F(StreamTest, GivesTheHeadAndThenEachPieceWhenItComes) {
  bool taken = false;
  CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n");
    co_await exchange.send("5\r\nfirst\r\n");
    while (!taken) co_await exchange.wait(1ms);
    co_await exchange.send("6\r\nsecond\r\n0\r\n\r\n");
    co_await exchange.gone();
  });
  run([&]() -> asio::awaitable<void> {
    Stream stream(context.get_executor());
    const auto head = co_await open(stream, server);
    EXPECT_EQ(head.value().status, 200u);
    EXPECT_EQ(head.value().header("x-a"), "b");
    EXPECT_EQ(stream.peer(), server.endpoint());
    EXPECT_EQ((co_await stream.read(base::Clock::now() + kLong)).value(), "first");
    taken = true;
    EXPECT_EQ((co_await rest(stream)).value(), "second");
    EXPECT_GT(stream.received_bytes(), 60u);
  }());
}

TEST_F(StreamTest, ARecordedStreamComesOutWholeHoweverItIsCut) {
  const std::string octets = recorded("execute.http");
  const std::string expected = recorded("execute.recordio");
  for (std::uint64_t seed = 0; seed < 12; seed++) {
    base::Rng rng(seed);
    CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
      for (std::string_view left = octets; !left.empty();) {
        const std::size_t size =
            seed == 0 ? left.size() : std::min(left.size(), rng.below(seed * 100) + 1);
        co_await exchange.send(std::string(left.substr(0, size)));
        if (rng.chance(0.2)) co_await exchange.wait(1ms);  // lets the reader see this cut
        left.remove_prefix(size);
      }
    });
    run([&]() -> asio::awaitable<void> {
      Stream stream(context.get_executor());
      EXPECT_TRUE(co_await open(stream, server));
      std::string body;
      while (true) {
        const auto piece = co_await stream.read(base::Clock::now() + kLong);
        if (!piece) {
          // The recorder ended in the middle of the stream.
          EXPECT_EQ(piece.error().code, Errc::cut_off);
          break;
        }
        body += *piece;
      }
      EXPECT_EQ(body, expected) << "seed " << seed;
    }());
  }
}

TEST_F(StreamTest, EachWaitForOctetsHasItsOwnLimit) {
  CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 4; i++) {
      co_await exchange.wait(60ms);
      co_await exchange.send("1\r\nx\r\n");
    }
    co_await exchange.gone();
  });
  run([&]() -> asio::awaitable<void> {
    Stream stream(context.get_executor());
    EXPECT_TRUE(co_await open(stream, server, 10s));
    int pieces = 0;
    const auto start = base::Clock::now();
    while (true) {
      const auto piece = co_await stream.read(base::Clock::now() + 1s);
      if (!piece) {
        EXPECT_EQ(piece.error().code, Errc::timed_out);
        EXPECT_EQ(piece.error().context, "GET " + server.url() + "/");
        break;
      }
      pieces++;
    }
    EXPECT_EQ(pieces, 4);
    EXPECT_GE(base::Clock::now() - start, 1s) << "no octet for a second, after all that came";
    EXPECT_EQ((co_await stream.read(base::Time::max())).error().code, Errc::timed_out);
  }());
}

TEST_F(StreamTest, AHeadThatDoesNotComeIsATimeout) {
  CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.send("HTTP/1.1 200 OK\r\n");
    co_await exchange.gone();
  });
  run([&]() -> asio::awaitable<void> {
    Stream stream(context.get_executor());
    EXPECT_EQ((co_await open(stream, server, 100ms)).error().code, Errc::timed_out);
  }());
}

TEST_F(StreamTest, StopEndsAReadAtOnce) {
  CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    co_await exchange.gone();
  });
  run([&]() -> asio::awaitable<void> {
    Stream stream(context.get_executor());
    EXPECT_TRUE(co_await open(stream, server));
    asio::post(context, [&] { stream.stop(); });
    EXPECT_EQ((co_await stream.read(base::Time::max())).error().code,
              asio::error::operation_aborted);
    EXPECT_EQ((co_await stream.read(base::Time::max())).error().code,
              asio::error::operation_aborted);
  }());
}

TEST_F(StreamTest, StopEndsOpeningAtOnceAlsoWhileANameIsLookedUp) {
  CoroServer silent(context, [](CoroExchange& exchange) { return exchange.gone(); });
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    run([&]() -> asio::awaitable<void> {
      Stream stream(context.get_executor());
      asio::post(context, [&] { stream.stop(); });
      const Origin origin{host, silent.endpoint().port};
      const auto start = base::Clock::now();
      const auto head = co_await stream.open(origin, kPlain, within(kLong));
      EXPECT_EQ(head.error().code, asio::error::operation_aborted);
      EXPECT_LT(base::Clock::now() - start, 5s);
    }());
  }
}

TEST_F(StreamTest, ANameIsLookedUpAndItsAddressesAreTried) {
  CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.answer(200, exchange.headers["host"]);
  });
  run([&]() -> asio::awaitable<void> {
    Stream stream(context.get_executor());
    const Origin origin{"localhost", server.endpoint().port};
    EXPECT_TRUE(co_await stream.open(origin, kPlain, within(kLong)));
    EXPECT_EQ((co_await rest(stream)).value(),
              "localhost:" + std::to_string(server.endpoint().port));
  }());
}

TEST_F(StreamTest, GoesOnlyWhereTheRequestMayGo) {
  CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.answer(200, "fine");
  });
  const base::Endpoint own = server.endpoint();
  const base::Endpoint other{own.address, static_cast<std::uint16_t>(own.port ^ 1)};
  run([&]() -> asio::awaitable<void> {
    for (const std::string host : {"127.0.0.1", "localhost"}) {
      const Origin origin{host, own.port};
      Stream allowed(context.get_executor());
      const Request to_both{.only_to = {other, own}};
      EXPECT_TRUE(co_await allowed.open(origin, to_both, within(kLong)));
      Stream refused(context.get_executor());
      const Request to_other{.only_to = {other}};
      const auto head = co_await refused.open(origin, to_other, within(kLong));
      EXPECT_EQ(head.error().code, Errc::not_allowed) << host;
    }
  }());
  EXPECT_EQ(server.accepted(), 2u);
}

TEST_F(StreamTest, AChunkHeadWithoutEndIsRefused) {
  CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=");
    while (co_await exchange.send(std::string(16384, 'x'))) {
    }
  });
  run([&]() -> asio::awaitable<void> {
    Stream stream(context.get_executor());
    EXPECT_TRUE(co_await open(stream, server));
    EXPECT_EQ((co_await stream.read(base::Clock::now() + kLong)).error().code,
              Errc::answer_too_large);
    EXPECT_LT(stream.received_bytes(), 300'000u);
  }());
}

TEST_F(StreamTest, AStreamThatEndsInTheMiddleIsNotWhole) {
  CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfi");
  });
  run([&]() -> asio::awaitable<void> {
    Stream stream(context.get_executor());
    EXPECT_TRUE(co_await open(stream, server));
    EXPECT_EQ((co_await rest(stream)).error().code, Errc::cut_off);
  }());
}

TEST_F(StreamTest, TheCallersHeadersReplaceOurs) {
  CoroServer server(context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
    co_await exchange.answer(200, exchange.headers["authorization"] + "|" +
                                      exchange.headers["user-agent"] + "|" +
                                      exchange.headers["content-length"] + exchange.body);
  });
  run([&]() -> asio::awaitable<void> {
    Stream stream(context.get_executor());
    const Request with_headers{.method = "POST",
                               .headers = {{"Authorization", "token=abc"}, {"user-agent", "x"}},
                               .body = "{}"};
    EXPECT_TRUE(co_await open(stream, server, kLong, &with_headers));
    EXPECT_EQ((co_await rest(stream)).value(), "token=abc|x|2{}");
  }());
}

}  // namespace
}  // namespace viaduct::http
