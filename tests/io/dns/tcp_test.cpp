#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <list>

#include "tests/io/dns/client.h"

namespace viaduct::dns {
namespace {

using namespace std::chrono_literals;
using test::Client;
using test::Octets;

/// A running server with limits that a test can wait for.
class DnsTcp : public testing::TestWithParam<base::Address> {
 protected:
  void start(const TcpLimits& limits = {}) {
    Config config = test::loopback_config(GetParam());
    config.tcp = limits;
    server_ = std::make_unique<Server>(config);
    const auto started = server_->start();
    ASSERT_TRUE(started) << started.error().message();
    server_->publish(test::table_of(test::web_snapshot()));
  }
  base::Endpoint endpoint() const { return server_->listening().front(); }
  TcpStats stats() const { return server_->stats().tcp; }

  static std::uint16_t id_of(const std::optional<Octets>& message) {
    return message && message->size() >= 2 ? read16(message->data()) : 0xffff;
  }

  std::unique_ptr<Server> server_;
};

TEST_P(DnsTcp, AnswersManyPipelinedQueriesInOrder) {
  start();
  Client client(endpoint(), SOCK_STREAM);
  Octets stream;
  for (std::uint16_t id = 0; id < 100; ++id) {
    const Octets query = test::framed(test::web_query(id));
    stream.insert(stream.end(), query.begin(), query.end());
  }
  ASSERT_TRUE(client.send(stream));
  for (std::uint16_t id = 0; id < 100; ++id) EXPECT_EQ(id_of(client.receive_message()), id);
  EXPECT_EQ(test::count(stats().outcomes, Outcome::answered), 100u);
}

TEST_P(DnsTcp, AnswersAQueryThatComesOctetByOctet) {
  start();
  Client client(endpoint(), SOCK_STREAM);
  const int now = 1;
  ::setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
  for (std::uint16_t id = 0; id < 2; ++id) {
    for (const std::uint8_t octet : test::framed(test::web_query(id))) {
      ASSERT_TRUE(client.send({octet}));
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(id_of(client.receive_message()), id);
  }
}

TEST_P(DnsTcp, AnswersAfterTheClientHasHalfClosedAndThenCloses) {
  start();
  Client client(endpoint(), SOCK_STREAM);
  Octets stream = test::framed(test::web_query(1));
  const Octets second = test::framed(test::web_query(2));
  stream.insert(stream.end(), second.begin(), second.end());
  ASSERT_TRUE(client.send(stream));
  client.half_close();
  EXPECT_EQ(id_of(client.receive_message()), 1);
  EXPECT_EQ(id_of(client.receive_message()), 2);
  EXPECT_TRUE(client.closed_within(2s));
  EXPECT_TRUE(test::eventually([&] { return stats().open == 0; }));
}

TEST_P(DnsTcp, ClosesAfterALengthThatNoQueryHas) {
  start();
  for (const Octets& length : {Octets{0, 0}, Octets{0, 11}, Octets{0xff, 0xff}}) {
    Client client(endpoint(), SOCK_STREAM);
    Octets stream = test::framed(test::web_query(1));
    stream.insert(stream.end(), length.begin(), length.end());
    ASSERT_TRUE(client.send(stream));
    EXPECT_EQ(id_of(client.receive_message()), 1);
    EXPECT_TRUE(client.closed_within(2s));
  }
  EXPECT_TRUE(test::eventually([&] { return stats().broken == 3 && stats().open == 0; }));
}

TEST_P(DnsTcp, ClosesAnIdleConnectionButNotABusyOne) {
  start({.idle = 500ms});
  Client idle(endpoint(), SOCK_STREAM), busy(endpoint(), SOCK_STREAM);
  for (std::uint16_t id = 0; id < 10; ++id) {
    std::this_thread::sleep_for(100ms);
    ASSERT_TRUE(busy.send(test::framed(test::web_query(id))));
    EXPECT_EQ(id_of(busy.receive_message()), id);
  }
  EXPECT_TRUE(idle.closed_within(0ms) || idle.closed_within(100ms));
  EXPECT_EQ(stats().timed_out, 1u);
  EXPECT_EQ(stats().open, 1u);
}

TEST_P(DnsTcp, ClosesAConnectionThatStopsInsideAMessageWithoutDelayingOthers) {
  start({.message = 400ms});
  Client slow(endpoint(), SOCK_STREAM), other(endpoint(), SOCK_STREAM);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(slow.send({0, 50, 1}));
  ASSERT_TRUE(other.send(test::framed(test::web_query(1))));
  EXPECT_EQ(id_of(other.receive_message()), 1);
  // Another octet does not buy more time.
  std::this_thread::sleep_for(200ms);
  slow.send({1});
  EXPECT_TRUE(slow.closed_within(3s));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 400ms);
  EXPECT_EQ(stats().timed_out, 1u);
}

TEST_P(DnsTcp, StopsReadingFromAClientThatDoesNotReadAndClosesItInTheEnd) {
  start({.write = 1'000ms, .pending_answer_octets = 4096});
  Client slow(endpoint(), SOCK_STREAM, 2048);
  const Octets query = test::framed(test::web_query());
  Octets stream;
  for (int i = 0; i < 200; ++i) stream.insert(stream.end(), query.begin(), query.end());
  std::size_t sent = 0;
  while (sent < (64u << 20)) {
    const ssize_t count =
        ::send(slow.fd(), stream.data(), stream.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      continue;
    }
    if (errno != EAGAIN) break;  // closed
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_LT(sent, 4u << 20);  // the buffers of both ends, not 64 MiB
  EXPECT_TRUE(test::eventually([&] { return stats().timed_out == 1 && stats().open == 0; }));
}

TEST_P(DnsTcp, ClosesConnectionsOverTheLimitAndTakesNewOnesWhenOthersEnd) {
  start({.connections = 5, .connections_per_client = 5});
  std::list<Client> clients;
  for (std::uint16_t i = 0; i < 5; ++i) {
    clients.emplace_back(endpoint(), SOCK_STREAM);
    ASSERT_TRUE(clients.back().send(test::framed(test::web_query(i))));
    EXPECT_EQ(id_of(clients.back().receive_message()), i);
  }
  Client sixth(endpoint(), SOCK_STREAM);
  EXPECT_TRUE(sixth.closed_within(2s));
  EXPECT_EQ(stats().over_limit, 1u);
  clients.pop_front();
  EXPECT_TRUE(test::eventually([&] { return stats().open == 4; }));
  Client seventh(endpoint(), SOCK_STREAM);
  ASSERT_TRUE(seventh.send(test::framed(test::web_query(7))));
  EXPECT_EQ(id_of(seventh.receive_message()), 7);
}

TEST_P(DnsTcp, SurvivesClientsThatVanishAndAnswersUdpMeanwhile) {
  start();
  for (int i = 0; i < 200; ++i) {
    Client client(endpoint(), SOCK_STREAM);
    client.send(test::framed(test::web_query()));
    const linger reset{1, 0};
    if (i % 2 == 0) ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (i % 20 == 0) {
      Client udp(endpoint(), SOCK_DGRAM);
      EXPECT_FALSE(udp.ask(test::web_query()).empty());
    }
  }
  EXPECT_TRUE(test::eventually([&] { return stats().open == 0; }));
}

INSTANTIATE_TEST_SUITE_P(Loopback, DnsTcp, testing::Values(test::loopback4(), test::loopback6()),
                         [](const auto& address) {
                           return address.param.is_v4() ? "IPv4" : "IPv6";
                         });

// Only IPv4 has several addresses on loopback that a client can come from.
TEST(DnsTcpClients, AreLimitedOneByOne) {
  Config config = test::loopback_config();
  config.tcp.connections_per_client = 2;
  Server server(config);
  ASSERT_TRUE(server.start());
  server.publish(test::table_of(test::web_snapshot()));
  const base::Endpoint endpoint = server.listening().front();
  Client first(endpoint, SOCK_STREAM, 0, 2), second(endpoint, SOCK_STREAM, 0, 2);
  ASSERT_TRUE(test::eventually([&] { return server.stats().tcp.open == 2; }));
  Client third(endpoint, SOCK_STREAM, 0, 2);
  EXPECT_TRUE(third.closed_within(2s));
  EXPECT_EQ(server.stats().tcp.over_limit, 1u);
  Client other(endpoint, SOCK_STREAM, 0, 3);
  ASSERT_TRUE(other.send(test::framed(test::web_query(9))));
  EXPECT_TRUE(other.receive_message());
}

}  // namespace
}  // namespace viaduct::dns
