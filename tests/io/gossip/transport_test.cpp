// Two transports over loopback: what one says the other hears, in all layers.

#include "gossip/io/transport.h"

#include <gmock/gmock.h>

#include <boost/asio/error.hpp>

#include "tests/io/gossip/pair.h"

namespace viaduct::gossip {
namespace {

using test::Peer;
using test::run_until;
using testing::ElementsAre;

const base::Endpoint kV4{base::Address::v4({127, 0, 0, 1}), 0};
const base::Endpoint kV6{*base::Address::parse("::1"), 0};

struct Layers {
  const char* name;
  base::Endpoint listen;
  WireOptions wire;
  std::vector<std::string> keys;

  friend void PrintTo(const Layers& layers, std::ostream* out) { *out << layers.name; }
};

class Layered : public testing::TestWithParam<Layers> {
 protected:
  boost::asio::io_context io_;
  Peer a_{io_, GetParam().listen, GetParam().wire, GetParam().keys};
  Peer b_{io_, GetParam().listen, GetParam().wire, GetParam().keys};
};

TEST_P(Layered, DatagramsArriveWithTheirMessages) {
  for (const bool with_crc : {false, true}) {
    b_.heard.clear();
    a_.send(b_.endpoint(), test::one_of_each(), with_crc);
    ASSERT_TRUE(run_until(io_, [&] { return b_.heard.size() == test::one_of_each().size(); }));
    EXPECT_EQ(b_.heard, test::one_of_each());
    EXPECT_EQ(b_.heard_from, a_.endpoint()) << "the source is the listening port";
  }
  EXPECT_EQ(b_.stats().packet_drops.total(), 0U);
  EXPECT_EQ(b_.stats().packets_in, a_.stats().packets_out);
  EXPECT_EQ(b_.stats().packet_bytes_in, a_.stats().packet_bytes_out);
}

TEST_P(Layered, StreamsCarrySeveralMessagesBothWays) {
  b_.answer = [&](const StreamMessage& message) -> std::optional<StreamMessage> {
    if (std::holds_alternative<PushPull>(message)) return test::push_pull(300);
    return message;
  };
  std::vector<StreamMessage> answers;
  a_.transport->exchange(b_.endpoint(), test::push_pull(200),
                         [&](base::Result<StreamMessage> message) -> std::optional<StreamMessage> {
                           answers.push_back(std::move(message).value());
                           if (answers.size() == 3) return std::nullopt;
                           return User{base::Bytes(100'000, 'x')};
                         });
  EXPECT_TRUE(answers.empty()) << "nothing is said from within exchange()";
  ASSERT_TRUE(run_until(io_, [&] {
    return answers.size() == 3 && b_.stats().streams_open + a_.stats().streams_open == 0;
  }));
  const StreamMessage user = User{base::Bytes(100'000, 'x')};
  EXPECT_THAT(answers, ElementsAre(StreamMessage(test::push_pull(300)), user, user));
  EXPECT_THAT(b_.stream_heard, ElementsAre(StreamMessage(test::push_pull(200)), user, user));
  EXPECT_EQ(b_.stats().stream_bytes_in, a_.stats().stream_bytes_out);
  EXPECT_EQ(b_.stats().streams_in, 1U);
  EXPECT_EQ(a_.stats().streams_out, 1U);
  EXPECT_EQ(a_.stats().stream_failures + b_.stats().stream_failures, 0U);
}

WireOptions wire(const char* label, bool compress) { return {label, compress}; }

INSTANTIATE_TEST_SUITE_P(
    Wires, Layered,
    testing::Values(Layers{"Plain", kV4, wire("", false), {}},
                    Layers{"Compressed", kV4, wire("", true), {}},
                    Layers{"Labelled", kV4, wire("prod", false), {}},
                    Layers{"Encrypted", kV4, wire("", false), {test::kKey}},
                    Layers{"All", kV4, wire("prod", true), {test::kKey, test::kOtherKey}},
                    Layers{"PlainV6", kV6, wire("", false), {}},
                    Layers{"AllV6", kV6, wire("prod", true), {test::kKey}}),
    [](const auto& test) { return test.param.name; });

class Transports : public testing::Test {
 protected:
  /// Exchanges one ping.
  base::Result<StreamMessage> ask(Peer& from, const base::Endpoint& to) {
    std::optional<base::Result<StreamMessage>> heard;
    from.transport->exchange(to, Ping{1, "b", {}}, [&](base::Result<StreamMessage> message) {
      heard = std::move(message);
      return std::nullopt;
    });
    EXPECT_TRUE(run_until(io_, [&] { return heard.has_value(); }));
    return *std::move(heard);
  }
  static std::optional<StreamMessage> pong(const StreamMessage&) { return Ack{1, {}}; }

  boost::asio::io_context io_;
};

TEST_F(Transports, KeysMayChangeWhileTheyRun) {
  Peer a(io_, kV4, {}, {test::kKey}), b(io_, kV4, {}, {test::kKey});
  b.answer = pong;
  const KeyId fresh = key_id(base::as_bytes(test::kOtherKey));
  const KeyId former = key_id(base::as_bytes(test::kKey));
  const auto both_ways = [&] {
    a.heard.clear();
    b.heard.clear();
    a.send(b.endpoint(), {Nack{1}});
    b.send(a.endpoint(), {Nack{2}});
    EXPECT_TRUE(run_until(io_, [&] { return a.heard.size() + b.heard.size() == 2; }));
    EXPECT_EQ(ask(a, b.endpoint()).value(), StreamMessage(Ack{1, {}}));
  };
  both_ways();
  for (Peer* peer : {&a, &b}) peer->keyring.install(base::as_bytes(test::kOtherKey)).value();
  both_ways();
  a.keyring.use(fresh).value();
  both_ways();
  b.keyring.use(fresh).value();
  for (Peer* peer : {&a, &b}) peer->keyring.remove(former).value();
  both_ways();
}

TEST_F(Transports, EncryptionIsIntroducedInSteps) {
  WireOptions lenient;
  lenient.verify_incoming = lenient.verify_outgoing = false;
  WireOptions sealing;
  sealing.verify_incoming = false;
  Peer plain(io_, kV4, {}, {}), a(io_, kV4, lenient, {test::kKey}),
      b(io_, kV4, sealing, {test::kKey});
  a.answer = b.answer = plain.answer = pong;
  const StreamMessage answer = Ack{1, {}};
  EXPECT_EQ(ask(plain, a.endpoint()).value(), answer);
  EXPECT_EQ(ask(a, plain.endpoint()).value(), answer);
  EXPECT_EQ(ask(a, b.endpoint()).value(), answer);
  EXPECT_EQ(ask(b, a.endpoint()).value(), answer);
  a.send(b.endpoint(), {Nack{1}});
  b.send(a.endpoint(), {Nack{2}});
  plain.send(b.endpoint(), {Nack{3}});
  EXPECT_TRUE(run_until(io_, [&] { return a.heard.size() + b.heard.size() == 3; }));
  b.transport->set_wire({});
  EXPECT_NE(ask(a, b.endpoint()).value(), answer) << "now it insists";
}

TEST_F(Transports, MoreThanADatagramHoldsGoesInSeveral) {
  Peer a(io_, kV4, {"", false}, {}), b(io_, kV4, {"", false}, {});
  a.send(b.endpoint(), std::vector<Message>(300, Message(Nack{7})));
  EXPECT_TRUE(run_until(io_, [&] { return b.heard.size() == 300; }));
  EXPECT_EQ(a.stats().packets_out, 3U) << "11 octets each, 127 in 1400";
  a.send(b.endpoint(), {Nack{1}, User{base::Bytes(5000, 'u')}, Nack{2}});
  EXPECT_TRUE(run_until(io_, [&] { return b.heard.size() == 303; }));
  EXPECT_EQ(a.stats().packets_out, 6U);
  a.send(b.endpoint(), {User{base::Bytes(70'000, 'u')}, Nack{1}});
  EXPECT_TRUE(run_until(io_, [&] { return b.heard.size() == 304; }));
  EXPECT_EQ(a.stats().packet_send_failures, 1U);
}

TEST_F(Transports, AFailedDialIsToldOnce) {
  Peer a(io_, kV4, {}, {});
  const base::Endpoint nobody = Peer(io_, kV4, {}, {}).endpoint();
  const auto answer = ask(a, nobody);
  ASSERT_TRUE(answer.has_error());
  EXPECT_EQ(answer.error().code, boost::asio::error::connection_refused);
  EXPECT_EQ(a.stats().stream_failures, 1U);
}

TEST_F(Transports, APeerThatSaysNothingMoreEndsTheStream) {
  Peer a(io_, kV4, {}, {}), b(io_, kV4, {}, {}, {.messages_per_stream = 1});
  const auto answer = ask(a, b.endpoint());
  ASSERT_TRUE(answer.has_error());
  EXPECT_EQ(answer.error().code, boost::asio::error::eof);
  EXPECT_EQ(a.stats().stream_failures, 0U);
}

TEST_F(Transports, ADestroyedTransportCallsNobody) {
  auto a = std::make_unique<Peer>(io_, kV4, WireOptions{}, std::vector<std::string>{});
  Peer b(io_, kV4, {}, {});
  bool called = false;
  a->transport->exchange(b.endpoint(), Ping{}, [&](base::Result<StreamMessage>) {
    called = true;
    return std::nullopt;
  });
  ASSERT_TRUE(run_until(io_, [&] { return b.stream_heard.size() == 1; }));
  a.reset();
  EXPECT_TRUE(run_until(io_, [&] { return b.stats().streams_open == 0; }));
  EXPECT_FALSE(called);
}

TEST_F(Transports, AnAddressInUseIsReported) {
  Peer a(io_, kV4, {}, {});
  Transport second(io_, {{a.endpoint()}, {}, {}}, a.keyring, {});
  const auto started = second.start();
  ASSERT_TRUE(started.has_error());
  EXPECT_EQ(started.error().code, boost::asio::error::address_in_use);
}

}  // namespace
}  // namespace viaduct::gossip
