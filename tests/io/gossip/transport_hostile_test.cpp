// Peers that are broken, slow, greedy or of another cluster.

#include <gmock/gmock.h>

#include <boost/asio/buffer.hpp>
#include <chrono>
#include <list>

#include "gossip/encode.h"
#include "gossip/io/endpoint.h"
#include "gossip/packet.h"
#include "gossip/stream.h"
#include "tests/io/gossip/pair.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;
using base::Bytes;
using test::Peer;
using test::RawStream;
using test::run_until;

const base::Endpoint kV4{base::Address::v4({127, 0, 0, 1}), 0};

class Hostile : public testing::Test {
 protected:
  /// What an acceptor of plain text answers.
  static std::optional<StreamMessage> read_answer(const Bytes& bytes, const Keyring& keyring = {}) {
    const WireOptions wire;
    StreamReader reader(StreamSide::acceptor, wire, keyring);
    reader.feed(bytes);
    auto message = reader.next();
    if (!message || message->has_error()) return std::nullopt;
    return **message;
  }
  static std::string refusal_in(const Bytes& bytes, const Keyring& keyring = {}) {
    const auto answer = read_answer(bytes, keyring);
    return answer && std::holds_alternative<Refusal>(*answer) ? std::get<Refusal>(*answer).error
                                                              : "no refusal";
  }
  static std::string text(Errc errc) { return make_error_code(errc).message(); }
  static Bytes plain(const StreamMessage& message) {
    Bytes bytes;
    encode(message, bytes);
    return bytes;
  }

  boost::asio::io_context io_;
};

TEST_F(Hostile, GarbageInDatagramsIsCounted) {
  Peer a(io_, kV4, {}, {});
  boost::asio::ip::udp::socket raw(io_, boost::asio::ip::udp::v4());
  const auto to = to_asio<boost::asio::ip::udp>(a.endpoint());
  for (const std::string& octets : {std::string{}, std::string("\xff"), std::string("garbage"),
                                    std::string(60'000, '\x07'), std::string("\x09")})
    raw.send_to(boost::asio::buffer(octets), to);
  Bytes good;
  encode(Message(Nack{5}), good);
  raw.send_to(boost::asio::buffer(good), to);
  ASSERT_TRUE(run_until(io_, [&] { return a.heard.size() == 1; }));
  EXPECT_EQ(a.stats().packets_in, 6U);
  EXPECT_GE(a.stats().packet_drops.total(), 5U);
}

TEST_F(Hostile, DatagramsOfAnotherKeyOrLabelOrNoneAreDropped) {
  Peer a(io_, kV4, {"prod"}, {test::kKey});
  Peer other_key(io_, kV4, {"prod"}, {test::kOtherKey}),
      other_label(io_, kV4, {"test"}, {test::kKey}), no_label(io_, kV4, {}, {test::kKey}),
      no_key(io_, kV4, {"prod"}, {});
  const Message long_user = User{Bytes(100, 'u')};
  for (Peer* peer : {&other_key, &other_label, &no_label, &no_key})
    peer->send(a.endpoint(), {long_user});
  ASSERT_TRUE(run_until(io_, [&] { return a.stats().packet_drops.total() == 4; }));
  EXPECT_EQ(a.stats().packet_drops[Errc::wrong_key], 1U);
  EXPECT_EQ(a.stats().packet_drops[Errc::wrong_label], 2U);
  EXPECT_EQ(a.stats().packet_drops[Errc::not_encrypted], 1U);
  EXPECT_TRUE(a.heard.empty());
}

TEST_F(Hostile, AnUnreadableStreamIsToldWhy) {
  Peer a(io_, kV4, {}, {});
  RawStream raw(io_, a.endpoint());
  ASSERT_TRUE(raw.write(Bytes{0xee, 1, 2, 3}));
  const auto answer = raw.read_to_end();
  ASSERT_TRUE(answer);
  EXPECT_EQ(refusal_in(*answer), text(Errc::unknown_type));
  EXPECT_EQ(a.stats().stream_drops[Errc::unknown_type], 1U);
}

TEST_F(Hostile, PlainTextIsRefusedUnderEncryption) {
  Peer a(io_, kV4, {}, {test::kKey});
  RawStream raw(io_, a.endpoint());
  ASSERT_TRUE(raw.write(plain(Ping{1, "a", {}})));
  const auto answer = raw.read_to_end();
  ASSERT_TRUE(answer);
  EXPECT_EQ(refusal_in(*answer, a.keyring), text(Errc::not_encrypted));
  EXPECT_TRUE(a.stream_heard.empty());
}

TEST_F(Hostile, AStreamOfAnotherKeyIsRefused) {
  Peer a(io_, kV4, {}, {test::kKey}), b(io_, kV4, {}, {test::kOtherKey});
  std::optional<base::Result<StreamMessage>> heard;
  b.transport->exchange(a.endpoint(), test::push_pull(3), [&](base::Result<StreamMessage> message) {
    heard = std::move(message);
    return std::nullopt;
  });
  ASSERT_TRUE(run_until(io_, [&] { return heard.has_value(); }));
  ASSERT_TRUE(heard->has_error());
  EXPECT_EQ(heard->error().code, Errc::wrong_key) << "the refusal is sealed with the other key";
  EXPECT_EQ(a.stats().stream_drops[Errc::wrong_key], 1U);
  EXPECT_TRUE(a.stream_heard.empty());
}

TEST_F(Hostile, AStreamOfAnotherClusterGetsNoAnswer) {
  Peer a(io_, kV4, {"prod"}, {});
  for (const Bytes& head : {Bytes{0xf4, 4, 't', 'e', 's', 't'}, Bytes{0}}) {
    RawStream raw(io_, a.endpoint());
    ASSERT_TRUE(raw.write(head));
    EXPECT_EQ(raw.read_to_end(), Bytes{});
  }
  EXPECT_EQ(a.stats().stream_drops[Errc::wrong_label], 2U);
}

TEST_F(Hostile, LengthsThatLieAreRefusedBeforeTheBytesCome) {
  Peer a(io_, kV4, {}, {});
  const std::vector<Bytes> lies{
      {0x08, 0x81, 0xaa, 'U', 's', 'e', 'r', 'M', 's', 'g', 'L',
       'e',  'n',  0xcf, 0,   0,   1,   0,   0,   0,   0,   0},
      {0x06, 0x81, 0xa5, 'N', 'o', 'd', 'e', 's', 0xce, 0x80, 0, 0, 0},
      {0x0d, 0x81, 0xa5, 'E', 'r', 'r', 'o', 'r', 0xdb, 0xff, 0xff, 0xff, 0xff},
      {0x09, 0x82, 0xa3, 'B', 'u', 'f', 0xdb, 0xff, 0xff, 0xff, 0xff},
  };
  for (const Bytes& lie : lies) {
    RawStream raw(io_, a.endpoint());
    ASSERT_TRUE(raw.write(lie));
    const auto answer = raw.read_to_end();
    ASSERT_TRUE(answer);
    EXPECT_EQ(refusal_in(*answer), text(Errc::too_large));
  }
}

TEST_F(Hostile, ASlowSenderIsCutOffAtTheDeadlineOfItsMessage) {
  Peer a(io_, kV4, {}, {}, {.message_timeout = 300ms});
  RawStream raw(io_, a.endpoint());
  const Bytes bytes = plain(test::push_pull(100));
  const auto begin = std::chrono::steady_clock::now();
  std::size_t sent = 0;
  for (; sent < bytes.size() && raw.write(base::ByteView(bytes).subspan(sent, 1)); ++sent) {
    const auto until = std::chrono::steady_clock::now() + 20ms;
    run_until(io_, [&] { return std::chrono::steady_clock::now() > until; });
    if (a.stats().stream_timeouts > 0) break;
  }
  EXPECT_EQ(a.stats().stream_timeouts, 1U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
  EXPECT_LT(sent, 100U);
  EXPECT_TRUE(run_until(io_, [&] { return a.stats().streams_open == 0; }));
}

TEST_F(Hostile, AnAcceptorThatNeverAnswersIsGivenUp) {
  Peer a(io_, kV4, {}, {}, {.message_timeout = 200ms});
  boost::asio::ip::tcp::acceptor silent(io_, to_asio<boost::asio::ip::tcp>(kV4));
  std::optional<base::Result<StreamMessage>> heard;
  a.transport->exchange(from_asio(silent.local_endpoint()), Ping{},
                        [&](base::Result<StreamMessage> message) {
                          heard = std::move(message);
                          return std::nullopt;
                        });
  ASSERT_TRUE(run_until(io_, [&] { return heard.has_value(); }));
  ASSERT_TRUE(heard->has_error());
  EXPECT_EQ(heard->error().code, boost::asio::error::timed_out);
}

TEST_F(Hostile, ConnectionsOverALimitAreClosedAndOthersLiveOn) {
  Peer a(io_, kV4, {}, {}, {.inbound_streams = 5, .inbound_streams_per_source = 100});
  Peer b(io_, kV4, {}, {}, {.inbound_streams = 100, .inbound_streams_per_source = 3});
  a.answer = b.answer = [](const StreamMessage&) { return Ack{1, {}}; };
  for (const auto& one : {std::pair{&a, 5U}, std::pair{&b, 3U}}) {
    Peer* const peer = one.first;
    const unsigned limit = one.second;
    std::list<RawStream> streams;
    for (unsigned i = 0; i < limit; ++i) streams.emplace_back(io_, peer->endpoint());
    ASSERT_TRUE(run_until(io_, [&] { return peer->stats().streams_open == limit; }));
    RawStream over(io_, peer->endpoint());
    EXPECT_EQ(over.read_to_end(), Bytes{});
    EXPECT_EQ(peer->stats().streams_over_limit, 1U);

    // One that is served, and one that goes, makes room.
    ASSERT_TRUE(streams.front().write(plain(Ping{1, "", {}})));
    ASSERT_TRUE(run_until(io_, [&] { return peer->stream_heard.size() == 1; }));
    streams.pop_front();
    ASSERT_TRUE(run_until(io_, [&] { return peer->stats().streams_open == limit - 1; }));
    streams.emplace_back(io_, peer->endpoint());
    EXPECT_TRUE(run_until(io_, [&] { return peer->stats().streams_open == limit; }));
    EXPECT_EQ(peer->stats().streams_over_limit, 1U);
  }
}

TEST_F(Hostile, OneStreamMayNotSayMoreThanItsShare) {
  Peer a(io_, kV4, {}, {}, {.messages_per_stream = 3});
  RawStream raw(io_, a.endpoint());
  Bytes bytes;
  for (int i = 0; i < 5; ++i) encode(StreamMessage(Ping{1, "", {}}), bytes);
  ASSERT_TRUE(raw.write(bytes));
  EXPECT_TRUE(raw.read_to_end());
  EXPECT_EQ(a.stream_heard.size(), 3U);
}

TEST_F(Hostile, StreamsTogetherHoldALimitedAmount) {
  Peer a(io_, kV4, {}, {}, {.held_octets = 64U << 10});
  RawStream raw(io_, a.endpoint());
  Bytes bytes{0x08, 0x81, 0xaa, 'U', 's',  'e', 'r',  'M', 's',
              'g',  'L',  'e',  'n', 0xce, 0,   0x10, 0,   0};
  bytes.resize(200'000);
  raw.write(bytes);
  const auto answer = raw.read_to_end();
  ASSERT_TRUE(answer);
  EXPECT_EQ(a.stats().stream_drops[Errc::too_large], 1U);
  EXPECT_TRUE(run_until(io_, [&] { return a.stats().streams_open == 0; }));
}

TEST_F(Hostile, OneBadMemberDoesNotEndAnExchange) {
  Peer a(io_, kV4, {}, {});
  PushPull message = test::push_pull(3);
  NodeInfo bad = *message.members[1].node;
  bad.meta = Bytes(513, 'm');
  message.members[1].node = std::make_shared<const NodeInfo>(bad);
  RawStream raw(io_, a.endpoint());
  ASSERT_TRUE(raw.write(plain(message)));
  ASSERT_TRUE(run_until(io_, [&] { return a.stream_heard.size() == 1; }));
  EXPECT_EQ(std::get<PushPull>(a.stream_heard[0]).members.size(), 2U);
  EXPECT_EQ(a.stats().member_drops[Errc::too_large], 1U);
}

}  // namespace
}  // namespace viaduct::gossip
