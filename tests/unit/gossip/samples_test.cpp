// What real processes sent is read as an independent decoder read it, and written again byte for
// byte. With VIADUCT_MEMBERLIST_SAMPLES in the environment, of that folder instead of the kept ones
// (scripts/compare-memberlist-samples).

#include "tests/unit/gossip/samples.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <memory>

#include "gossip/packet.h"
#include "gossip/stream.h"

namespace viaduct {
namespace {

namespace json = boost::json;
using base::Bytes;
using base::ByteView;
using namespace gossip;

const std::vector<test::Sample>& samples() {
  static const auto read = [] {
    const char* folder = std::getenv("VIADUCT_MEMBERLIST_SAMPLES");
    return test::read_samples(folder ? folder : VIADUCT_TEST_DATA "/memberlist");
  }();
  return read;
}

bool is_padded_version(const test::Sample& sample) {
  return sample.has_layer("encrypt") && sample.bytes[sample.sealed_at()] == 0;
}

/// Gives the nonce that the sample was sealed with.
NonceSource nonce_of(const test::Sample& sample) {
  return [&sample] {
    Nonce nonce;
    std::copy_n(sample.bytes.begin() + static_cast<std::ptrdiff_t>(sample.sealed_at()) + 1,
                nonce.size(), nonce.begin());
    return nonce;
  };
}

/// A sample as it would be without encryption, for a version that is only read.
Bytes plain(const test::Sample& sample, const Keyring& keyring) {
  const ByteView bytes = sample.bytes;
  Bytes bound;
  if (sample.is_stream) bound.assign(bytes.begin(), bytes.begin() + 5);
  bound.insert(bound.end(), sample.options.label.begin(), sample.options.label.end());
  return keyring.open(bytes.subspan(sample.sealed_at()), bound).value();
}

OpenedPacket open(const test::Sample& sample, const Keyring& keyring) {
  return open_packet(sample.bytes, sample.options, keyring);
}

TEST(Samples, DatagramsAreReadAsAnotherDecoderReadThem) {
  for (const test::Sample& sample : samples()) {
    if (sample.is_stream) continue;
    SCOPED_TRACE(sample.id);
    const OpenedPacket opened = open(sample, sample.keyring());
    EXPECT_EQ(opened.dropped.total(), 0U);
    json::array messages;
    for (const Message& message : opened.messages) messages.push_back(test::to_json(message));
    const json::value* parts = sample.message.as_object().if_contains("parts");
    EXPECT_EQ(json::value(messages), parts ? *parts : json::value(json::array{sample.message}))
        << json::serialize(messages);
  }
}

TEST(Samples, DatagramsAreWrittenByteForByte) {
  for (const test::Sample& sample : samples()) {
    if (sample.is_stream) continue;
    SCOPED_TRACE(sample.id);
    const Keyring keyring = sample.keyring();
    std::vector<MessagePtr> messages;
    for (Message& message : open(sample, keyring).messages)
      messages.push_back(std::make_shared<const Message>(std::move(message)));
    const Keyring none;
    const bool sealed = !is_padded_version(sample);
    const SealedPackets packets = seal_packet(messages, sample.has_layer("crc"), sample.options,
                                              sealed ? keyring : none, nonce_of(sample));
    ASSERT_EQ(packets.datagrams.size(), 1U);
    EXPECT_EQ(test::to_hex(packets.datagrams[0]),
              test::to_hex(sealed ? sample.bytes : plain(sample, keyring)));
  }
}

std::optional<Decoded<StreamMessage>> read_stream(const test::Sample& sample,
                                                  const Keyring& keyring, std::size_t piece) {
  StreamReader reader(sample.side, sample.options, keyring);
  std::optional<Decoded<StreamMessage>> message;
  for (std::size_t at = 0; at < sample.bytes.size(); at += piece) {
    EXPECT_FALSE(message) << "a message before the last octet";
    reader.feed(ByteView(sample.bytes).subspan(at, std::min(piece, sample.bytes.size() - at)));
    message = reader.next();
  }
  EXPECT_TRUE(reader.idle());
  EXPECT_EQ(reader.take_dropped().total(), 0U);
  return message;
}

TEST(Samples, StreamsAreReadAsAnotherDecoderReadThem) {
  for (const test::Sample& sample : samples()) {
    if (!sample.is_stream) continue;
    SCOPED_TRACE(sample.id);
    const Keyring keyring = sample.keyring();
    for (const std::size_t piece : {sample.bytes.size(), std::size_t{1}, std::size_t{7}}) {
      const auto message = read_stream(sample, keyring, piece);
      ASSERT_TRUE(message);
      ASSERT_TRUE(message->has_value()) << make_error_code(message->error()).message();
      EXPECT_EQ(test::to_json(**message), sample.message)
          << json::serialize(test::to_json(**message));
    }
  }
}

TEST(Samples, StreamsAreWrittenByteForByte) {
  for (const test::Sample& sample : samples()) {
    if (!sample.is_stream) continue;
    SCOPED_TRACE(sample.id);
    const Keyring keyring = sample.keyring();
    const auto message = read_stream(sample, keyring, sample.bytes.size());
    ASSERT_TRUE(message && message->has_value());
    const Keyring none;
    const bool sealed = !is_padded_version(sample);
    Bytes written;
    if (sample.side == StreamSide::dialler) written = stream_head(sample.options);
    const Bytes bytes =
        seal_stream(**message, sample.options, sealed ? keyring : none, nonce_of(sample)).value();
    written.insert(written.end(), bytes.begin(), bytes.end());
    EXPECT_EQ(test::to_hex(written), test::to_hex(sealed ? sample.bytes : plain(sample, keyring)));
  }
}

TEST(Samples, EveryKindAndLayerIsThere) {
  std::set<std::string> layers, kinds;
  for (const test::Sample& sample : samples()) {
    layers.insert(sample.layers.begin(), sample.layers.end());
    const std::string transport = sample.is_stream ? "tcp " : "udp ";
    kinds.insert(transport + std::string(sample.message.at("type").as_string()));
  }
  EXPECT_THAT(layers,
              testing::UnorderedElementsAre("label", "encrypt", "crc", "compress", "compound"));
  EXPECT_THAT(kinds, testing::UnorderedElementsAre(
                         "udp ping", "udp indirectPing", "udp ack", "udp nack", "udp suspect",
                         "udp alive", "udp dead", "udp userMsg", "udp compound", "tcp ping",
                         "tcp ack", "tcp err", "tcp pushPull", "tcp userMsg"));
}

}  // namespace
}  // namespace viaduct
