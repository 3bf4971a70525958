#include "http/io/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "api/routes.h"
#include "base/io/fd.h"
#include "http/io/client.h"

namespace viaduct::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Reply echo(std::string_view method, std::string_view target) {
  if (target == "/large") return {200, "text/plain", std::string(4 << 20, 'x'), ""};
  return {200, "text/plain", std::string(method) + " " + std::string(target), ""};
}

/// A server on a thread of its own and a folder that goes away with it.
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    char folder[] = "/tmp/viaduct-server-XXXXXX";
    folder_ = ::mkdtemp(folder);
    path_ = folder_ + "/run/api.sock";
  }
  ~ServerTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void start() { start(Handler(echo)); }
  template <class AnyHandler>
  void start(AnyHandler handler, ServerLimits limits = {}) {
    server_.emplace(context_, std::move(handler), limits);
    ASSERT_TRUE(server_->listen_unix(path_));
    const auto bound = server_->listen_tcp({*base::Address::parse("127.0.0.1"), 0});
    ASSERT_TRUE(bound);
    port_ = bound->port;
    thread_ = std::thread([this] { context_.run(); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(context_, [this] { server_.reset(); });
    thread_.join();
  }

  Origin unix_origin() const { return {"", 0, path_}; }
  Origin tcp_origin() const { return {"127.0.0.1", port_, ""}; }

  base::Fd dial() const {
    base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const timeval timeout{10, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    return fd;
  }

  /// Reads until the server closes or `enough` bytes came.
  static std::string receive(int fd, std::size_t enough = 1 << 20) {
    std::string all;
    char part[4096];
    for (ssize_t n; all.size() < enough && (n = ::recv(fd, part, sizeof(part), 0)) > 0;)
      all.append(part, static_cast<std::size_t>(n));
    return all;
  }

  std::string exchange(const std::string& request) const {
    const base::Fd fd = dial();
    ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    return receive(fd.get());
  }

  std::string folder_;
  std::string path_;
  std::uint16_t port_ = 0;
  boost::asio::io_context context_;
  std::optional<Server> server_;
  std::thread thread_;
};

TEST_F(ServerTest, AnswersOnBothSockets) {
  start();
  for (const Origin& origin : {unix_origin(), tcp_origin()}) {
    const auto response = fetch(origin, {.target = "/v1/x?y=1"}, {});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->status, 200u);
    EXPECT_EQ(response->body, "GET /v1/x?y=1");
    EXPECT_EQ(response->header("content-type"), "text/plain");
  }
}

TEST_F(ServerTest, TheUnixSocketIsForOwnerAndGroupOnly) {
  start();
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660u);
}

TEST_F(ServerTest, AStaleSocketIsReplacedAndALiveOneIsNot) {
  {
    std::filesystem::create_directories(folder_ + "/run");
    const base::Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path_.c_str());
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  start();
  EXPECT_TRUE(fetch(unix_origin(), {}, {}));

  boost::asio::io_context other;
  const auto second = Server(other, echo).listen_unix(path_);
  ASSERT_TRUE(second.has_error());
  EXPECT_EQ(second.error().code.value(), EADDRINUSE);
  EXPECT_TRUE(fetch(unix_origin(), {}, {})) << "the first server must keep its socket";
}

TEST_F(ServerTest, AFileThatIsNoSocketIsLeftAlone) {
  std::filesystem::create_directories(folder_ + "/run");
  std::ofstream(path_) << "precious";
  boost::asio::io_context other;
  const auto result = Server(other, echo).listen_unix(path_);
  ASSERT_TRUE(result.has_error());
  EXPECT_THAT(result.error().message(), HasSubstr("is not a socket"));
  std::string contents;
  std::ifstream(path_) >> contents;
  EXPECT_EQ(contents, "precious");
}

TEST_F(ServerTest, TheSocketIsRemovedAtTheEnd) {
  start();
  EXPECT_TRUE(std::filesystem::exists(path_));
  stop();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ServerTest, ATakenPortIsAnErrorThatNamesIt) {
  start();
  boost::asio::io_context other;
  const auto second = Server(other, echo).listen_tcp({*base::Address::parse("127.0.0.1"), port_});
  ASSERT_TRUE(second.has_error());
  EXPECT_THAT(second.error().message(), HasSubstr("listen on 127.0.0.1:" + std::to_string(port_)));
}

TEST_F(ServerTest, AConnectionServesSeveralRequestsAlsoPipelined) {
  start();
  const std::string answers = exchange(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answers, HasSubstr("GET /a"));
  EXPECT_THAT(answers, HasSubstr("GET /b"));
  EXPECT_THAT(answers, EndsWith("GET /c"));
}

TEST_F(ServerTest, AHeadRequestGetsTheLengthWithoutTheBody) {
  start();
  const std::string answer = exchange("HEAD /abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(ServerTest, TheHandlerSeesTheMethodAndItsAllowReachesTheClient) {
  start([](std::string_view method, std::string_view target) {
    return api::answer(method, target, {});
  });
  const std::string answer = exchange(
      "DELETE /v1/vips HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(ServerTest, AHeadHandlerSeesTheMethodAsReceivedAndWhatTheClientAccepts) {
  start(HeadHandler([](const RequestHead& head) {
    return Reply{200, "text/plain",
                 std::string(head.method) + " " + std::string(head.target) + " " +
                     std::string(head.accept.value_or("anything")),
                 ""};
  }));
  const auto ask = [this](const std::string& method, const std::string& fields) {
    return exchange(method + " /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n");
  };
  EXPECT_THAT(ask("GET", ""), EndsWith("\r\n\r\nGET /x anything"));
  EXPECT_THAT(ask("GET", "Accept: text/html\r\nAccept: */*\r\n"), EndsWith("GET /x text/html,*/*"));
  EXPECT_THAT(ask("HEAD", ""), HasSubstr("Content-Length: 16\r\n"));
}

TEST_F(ServerTest, AHeaderOverTheLimitIsRefused) {
  start();
  EXPECT_THAT(exchange("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(exchange("GET /" + std::string(7000, 'a') + " HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, ABodyOverTheLimitIsRefusedBeforeItIsSent) {
  start();
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 65536\r\n\r\n" +
                       std::string(65536, 'a')),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, WhatIsNotHttpIsRefusedAndTheConnectionClosed) {
  start();
  for (const std::string garbage :
       {"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"})
    EXPECT_THAT(exchange(garbage), StartsWith("HTTP/1.1 400 ")) << garbage;
}

TEST_F(ServerTest, AClientThatSaysNothingIsClosed) {
  start(echo, {.request_timeout = 50ms});
  const base::Fd silent = dial();
  EXPECT_EQ(receive(silent.get()), "");
}

TEST_F(ServerTest, OneClientTooManyIsTurnedAwayAndLaterOnesAreServed) {
  start(echo, {.connections = 2});
  std::vector<base::Fd> held;
  for (int i = 0; i < 2; i++) {
    held.push_back(dial());
    ::send(held.back().get(), "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
    EXPECT_THAT(receive(held.back().get(), 1), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_THAT(receive(dial().get()), StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(fetch(unix_origin(), {}, {})) << "each listener has its own limit";
  held.clear();
  // The server learns of the closed connections when its loop runs next; a client retries
  // meanwhile.
  bool served = false;
  for (int i = 0; i < 500 && !served; i++) {
    const auto response = fetch(tcp_origin(), {}, {});
    served = response && response->status == 200;
    if (!served) std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(served);
}

TEST_F(ServerTest, RepliesThatNobodyTakesAreBounded) {
  start(echo, {.pending_bytes = 1 << 20});
  const base::Fd slow = dial();
  ::send(slow.get(), "GET /large HTTP/1.1\r\n\r\n", 23, MSG_NOSIGNAL);
  EXPECT_THAT(receive(slow.get(), 1), StartsWith("HTTP/1.1 200 "));
  const auto refused = fetch(unix_origin(), {}, {});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503u);
  receive(slow.get(), 4'000'000);
}

TEST_F(ServerTest, AClientThatDoesNotTakeItsReplyIsClosed) {
  start(echo, {.pending_bytes = 1 << 20, .reply_timeout = 50ms});
  const base::Fd slow = dial();
  ::send(slow.get(), "GET /large HTTP/1.1\r\n\r\n", 23, MSG_NOSIGNAL);
  EXPECT_THAT(receive(slow.get(), 1), StartsWith("HTTP/1.1 200 "));
  bool served = false;
  for (int i = 0; i < 500 && !served; i++) {
    const auto response = fetch(unix_origin(), {}, {});
    served = response && response->status == 200;
    if (!served) std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(served) << "the room of the abandoned reply must be free again";
}

TEST_F(ServerTest, StoppingEndsOpenConnections) {
  start();
  const base::Fd open = dial();
  ::send(open.get(), "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
  EXPECT_THAT(receive(open.get(), 1), StartsWith("HTTP/1.1 200 "));
  stop();
  receive(open.get());
  char byte;
  EXPECT_LE(::recv(open.get(), &byte, 1, 0), 0);
}

}  // namespace
}  // namespace viaduct::http
