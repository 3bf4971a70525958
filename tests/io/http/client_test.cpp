#include "http/io/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "http/errors.h"
#include "tests/support/http_server.h"

namespace viaduct::http {
namespace {

using namespace std::chrono_literals;
using test::Exchange;
using test::HttpServer;

base::Result<Response> get(const std::string& origin, Limits limits = {}, Request request = {}) {
  return fetch(parse_origin(origin).value(), request, limits);
}

TEST(HttpClient, SendsMethodTargetHeadersAndBodyAndReadsTheAnswer) {
  HttpServer server([](Exchange& exchange) {
    exchange.answer(201, exchange.method + " " + exchange.target + " " +
                             exchange.headers["content-type"] + " " + exchange.headers["host"] +
                             " " + exchange.body);
  });
  const auto response = get(server.url(), {},
                            {.method = "POST",
                             .target = "/api/v1?x=1",
                             .headers = {{"Content-Type", "application/json"}},
                             .body = "{}"});
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 201u);
  EXPECT_EQ(response->body,
            "POST /api/v1?x=1 application/json 127.0.0.1:" + std::to_string(server.port()) + " {}");
  EXPECT_EQ(response->header("content-TYPE"), "application/json");
  EXPECT_EQ(response->header("etag"), std::nullopt);
}

TEST(HttpClient, SendsBasicCredentials) {
  HttpServer server(
      [](Exchange& exchange) { exchange.answer(200, exchange.headers["authorization"]); });
  // RFC 7617, section 2.
  const auto response = get(server.url(), {}, {.auth = BasicAuth{"Aladdin", "open sesame"}});
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST(HttpClient, SpeaksOverAUnixSocket) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("viaduct-client-" + std::to_string(getpid()));
  ::unlink(path.c_str());
  {
    HttpServer server([](Exchange& exchange) { exchange.answer(200, exchange.target); }, path);
    const auto response = get("unix:" + path, {}, {.target = "/v1/vips"});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->body, "/v1/vips");
  }
  ::unlink(path.c_str());
  const auto gone = get("unix:" + path, {}, {.target = "/v1/vips"});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message(), "GET unix:" + path + "/v1/vips: No such file or directory");
}

TEST(HttpClient, ReadsChunkedAnswersAndAnswersThatEndWithTheConnection) {
  HttpServer chunked([](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    exchange.send("6\r\n world\r\n0\r\n\r\n");
  });
  EXPECT_EQ(get(chunked.url()).value().body, "hello world");
  HttpServer until_close(
      [](Exchange& exchange) { exchange.send("HTTP/1.1 200 OK\r\n\r\nall of it"); });
  EXPECT_EQ(get(until_close.url()).value().body, "all of it");
}

TEST(HttpClient, ReadsABodyOfSeveralReadsWhole) {
  std::string big;
  for (int i = 0; big.size() < 1'000'000; i++) big += std::to_string(i) + ",";
  HttpServer server([&](Exchange& exchange) { exchange.answer(200, big); });
  EXPECT_EQ(get(server.url()).value().body, big);
}

TEST(HttpClient, GivesUpWhenTheAnswerTakesTooLong) {
  HttpServer silent([](Exchange& exchange) { exchange.wait(10s); });
  const auto start = std::chrono::steady_clock::now();
  const auto response = get(silent.url(), {.timeout = 200ms});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::timed_out);
  EXPECT_EQ(response.error().context, "GET " + silent.url() + "/");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(HttpClient, TheTimeoutIsForTheWholeAnswerAndNotForEachPart) {
  HttpServer dripping([](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 100 && exchange.send("x"); i++) exchange.wait(50ms);
  });
  const auto start = std::chrono::steady_clock::now();
  const auto response = get(dripping.url(), {.timeout = 400ms});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

TEST(HttpClient, RefusesAnAnswerThatAnnouncesTooManyBytesWithoutReadingIt) {
  HttpServer server([](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
    exchange.wait(10s);
  });
  const auto response = get(server.url(), {.max_answer_bytes = 1000});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::answer_too_large);
  EXPECT_THAT(response.error().message(), testing::HasSubstr(server.url()));
}

TEST(HttpClient, StopsReadingAChunkedAnswerAtTheLimit) {
  std::size_t sent = 0;
  HttpServer server([&](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
    while (sent < 200u * 1024 * 1024 && exchange.send(chunk)) sent += chunk.size();
  });
  const auto response = get(server.url(), {.max_answer_bytes = 100'000});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::answer_too_large);
  EXPECT_THAT(response.error().message(), testing::HasSubstr("100000 bytes"));
}

TEST(HttpClient, RefusesAHeadWithoutEnd) {
  HttpServer server([](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 10000 && exchange.send("X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
         i++) {
    }
  });
  const auto response = get(server.url());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::answer_too_large);
}

TEST(HttpClient, ACutConnectionIsAnErrorAndNotAShortAnswer) {
  HttpServer server([](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nfirst bytes");
  });
  const auto response = get(server.url());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::cut_off);
}

TEST(HttpClient, SaysWhenThePeerDoesNotSpeakHttp) {
  HttpServer server([](Exchange& exchange) { exchange.send("SSH-2.0-OpenSSH_9.2\r\n\r\n"); });
  const auto response = get(server.url());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::malformed_answer);
}

TEST(HttpClient, SaysWhenNobodyListens) {
  std::string url;
  {
    HttpServer server([](Exchange&) {});
    url = server.url();
  }
  const auto response = get(url, {}, {.target = "/v1"});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message(), "GET " + url + "/v1: Connection refused");
}

}  // namespace
}  // namespace viaduct::http
