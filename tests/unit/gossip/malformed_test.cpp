// What real processes sent, damaged in every way: dropped with a reason and in bounded memory. Then
// the packets that end a Serf of Debian 12.

#include <gmock/gmock.h>

#include <algorithm>

#include "base/rng.h"
#include "gossip/decode.h"
#include "gossip/encode.h"
#include "gossip/lzw.h"
#include "gossip/packet.h"
#include "gossip/stream.h"
#include "tests/unit/gossip/memory.h"
#include "tests/unit/gossip/samples.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using base::ByteView;
using test::Sample;

/// Of a datagram of some hundred octets: its text, messages, and what compression may become.
constexpr std::size_t kPacketMemory = 3 * kMaxExpandedPacketOctets;
/// Of a stream of some hundred octets that is not compressed.
constexpr std::size_t kStreamMemory = 64U << 10;

const std::vector<Sample>& samples() {
  static const auto read = test::read_samples(VIADUCT_TEST_DATA "/memberlist");
  return read;
}

/// What became of a datagram or a stream.
struct Outcome {
  std::size_t messages = 0;
  std::size_t dropped = 0;
  std::size_t peak = 0;
};

Outcome receive(const Sample& sample, ByteView bytes, const Keyring& keyring) {
  Outcome outcome;
  outcome.peak = test::peak_octets([&] {
    if (!sample.is_stream) {
      const OpenedPacket opened = open_packet(bytes, sample.options, keyring);
      outcome.messages = opened.messages.size();
      outcome.dropped = opened.dropped.total();
      return;
    }
    StreamReader reader(sample.side, sample.options, keyring);
    reader.feed(bytes);
    while (auto message = reader.next()) {
      if (message->has_value()) {
        ++outcome.messages;
        continue;
      }
      outcome.dropped = 1;
      break;
    }
    outcome.dropped += reader.take_dropped().total();
  });
  return outcome;
}

bool has_user_message(const Sample& sample) {
  const auto& message = sample.message.as_object();
  return message.at("type") == "userMsg" || message.at("type") == "compound";
}

TEST(Malformed, TruncationAtEveryOffset) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.id);
    const Keyring keyring = sample.keyring();
    for (std::size_t octets = 0; octets < sample.bytes.size(); ++octets) {
      const Outcome outcome = receive(sample, ByteView(sample.bytes).first(octets), keyring);
      EXPECT_LE(outcome.peak, sample.is_stream ? kStreamMemory : kPacketMemory) << octets;
      if (sample.is_stream) {
        EXPECT_EQ(outcome.messages, 0U) << octets;
        EXPECT_EQ(outcome.dropped, 0U) << octets << ": more may come";
      } else if (sample.has_layer("crc") || sample.has_layer("encrypt") ||
                 !has_user_message(sample)) {
        EXPECT_EQ(outcome.messages, 0U) << octets;
        EXPECT_EQ(outcome.dropped, 1U) << octets;
      }
    }
  }
}

TEST(Malformed, EveryBitFlipped) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.id);
    const Keyring keyring = sample.keyring();
    for (std::size_t bit = 0; bit < 8 * sample.bytes.size(); ++bit) {
      Bytes bytes = sample.bytes;
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      const Outcome outcome = receive(sample, bytes, keyring);
      EXPECT_LE(outcome.peak, kPacketMemory) << bit;
      // The version octet alone is not bound to the text: padding may count as text.
      const bool in_version = sample.has_layer("encrypt") && bit / 8 == sample.sealed_at();
      if (!sample.has_layer("encrypt") || in_version) continue;
      EXPECT_EQ(outcome.messages, 0U) << bit;
      // A longer frame may still come.
      if (!sample.is_stream) {
        EXPECT_EQ(outcome.dropped, 1U) << bit;
      }
    }
  }
}

TEST(Malformed, LengthsThatLie) {
  const std::vector<Bytes> lies{{0xff},
                                {0xdf, 0xff, 0xff, 0xff, 0xff},
                                {0xdd, 0xff, 0xff, 0xff, 0xff},
                                {0xdb, 0xff, 0xff, 0xff, 0xff},
                                {0xdb, 0x7f, 0xff, 0xff, 0xff},
                                {0xc6, 0x01, 0xff, 0xff, 0xff},
                                {0xda, 0xff, 0xff},
                                {0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                                {0xcf, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00},
                                {0xce, 0x80, 0x00, 0x00, 0x00}};
  for (const Sample& sample : samples()) {
    if (sample.has_layer("encrypt")) continue;
    SCOPED_TRACE(sample.id);
    for (std::size_t at = 0; at < sample.bytes.size(); ++at)
      for (const Bytes& lie : lies) {
        Bytes bytes = sample.bytes;
        bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), lie.begin(), lie.end());
        const Outcome outcome = receive(sample, bytes, Keyring());
        EXPECT_LE(outcome.peak, sample.is_stream ? kStreamMemory : kPacketMemory) << at;
      }
  }
}

TEST(Malformed, RandomDamage) {
  base::Rng rng(4);
  for (int round = 0; round < 200; ++round)
    for (const Sample& sample : samples()) {
      Bytes bytes = sample.bytes;
      const std::size_t damages = 1 + rng.below(8);
      for (std::size_t i = 0; i < damages && !bytes.empty(); ++i) {
        const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(rng.below(bytes.size()));
        switch (rng.below(3)) {
          case 0:
            *at = static_cast<std::uint8_t>(rng.next());
            break;
          case 1:
            bytes.erase(at);
            break;
          case 2:
            bytes.insert(at, static_cast<std::uint8_t>(rng.next()));
            break;
        }
      }
      const Outcome outcome = receive(sample, bytes, sample.keyring());
      EXPECT_LE(outcome.peak, kPacketMemory) << sample.id << " round " << round;
    }
}

/// The outcome of one datagram or stream in a cluster without keys.
Outcome receive(bool is_stream, ByteView bytes) {
  Sample sample;
  sample.is_stream = is_stream;
  return receive(sample, bytes, Keyring());
}
/// A literal, zeros included.
template <std::size_t kSize>
Bytes text(const char (&literal)[kSize]) {
  return {literal, literal + kSize - 1};
}
Bytes text(const std::string& all) { return {all.begin(), all.end()}; }
Bytes compressed(ByteView plain) {
  Bytes out;
  encode_compressed(lzw_compress(plain), out);
  return out;
}

TEST(Malformed, DecompressionBombs) {
  const Bytes bomb = compressed(Bytes(42'000'000, 0x08));
  Outcome outcome = receive(false, bomb);
  EXPECT_EQ(outcome.dropped, 1U);
  EXPECT_EQ(outcome.messages, 0U);
  EXPECT_LE(outcome.peak, kPacketMemory);

  // As many as fit into one datagram.
  Bytes part = compressed(Bytes(60'000, 0x08));
  base::Writer many;
  many.u8(7);
  many.u8(200);
  for (int i = 0; i < 200; ++i) many.u16(static_cast<std::uint16_t>(part.size()));
  for (int i = 0; i < 200; ++i) many.put(part);
  outcome = receive(false, many.bytes());
  EXPECT_EQ(outcome.messages, 1U);
  EXPECT_EQ(outcome.dropped, 199U);
  EXPECT_LE(outcome.peak, kPacketMemory);

  // Of each other.
  Bytes nested = bomb;
  for (int i = 0; i < 5; ++i) nested = compressed(nested);
  outcome = receive(false, nested);
  EXPECT_EQ(outcome.messages, 0U);
  EXPECT_LE(outcome.peak, 4 * kPacketMemory) << "each layer holds its text";
}

TEST(Malformed, Nesting) {
  Bytes nested{0x0b, 0x80};
  while (nested.size() < 60'000) {
    const auto octets = nested.size();
    const Bytes head{7, 1, static_cast<std::uint8_t>(octets >> 8),
                     static_cast<std::uint8_t>(octets)};
    nested.insert(nested.begin(), head.begin(), head.end());
  }
  const Outcome outcome = receive(false, nested);
  EXPECT_EQ(outcome.messages, 0U);
  EXPECT_EQ(outcome.dropped, 1U);
  EXPECT_LE(outcome.peak, 4096U);

  Bytes deep = text("\x0b\x81\xa1X");
  deep.resize(60'000, 0x91);
  EXPECT_EQ(receive(false, deep).dropped, 1U);
}

TEST(Malformed, DatagramsThatEndASerfProcess) {
  const Bytes alive = text(
      "\x04\x86\xa4"
      "Addr\xa4\x7f\x01\x01\x01\xabIncarnation\x01\xa4Meta\xc0\xa4Node\xa1x"
      "\xa4Port\xcd\x1f\x0a\xa3Vsn");
  const auto with_versions = [&](std::string_view raw) {
    Bytes bytes = alive;
    bytes.insert(bytes.end(), raw.begin(), raw.end());
    return bytes;
  };
  EXPECT_EQ(receive(false, with_versions("\xa6\x01\x05\x02\x02\x05\x04")).messages, 1U);
  for (const Bytes& bytes : {Bytes{7, 1, 0, 0},   // a compound with an empty part
                             compressed({}),      // compressed nothing
                             text("\x09\x82\xa4"  // and not even that
                                  "Algo\x00\xa3"
                                  "Buf\xc0"),
                             with_versions("\xa1\x01"), with_versions("\xa4\x01\x05\x02\x02"),
                             text("\x04\x81\xa4Node\xdb\x7f\xff\xff\xff")}) {  // a name of 2 GiB
    const Outcome outcome = receive(false, bytes);
    EXPECT_EQ(outcome.messages, 0U) << test::to_hex(bytes);
    EXPECT_EQ(outcome.dropped, 1U) << test::to_hex(bytes);
    EXPECT_LE(outcome.peak, 4096U) << test::to_hex(bytes);
  }
}

TEST(Malformed, StreamsThatEndASerfProcess) {
  const std::string header = "\x06\x83\xa4Join\xc3\xa5Nodes";
  for (const Bytes& bytes :
       {compressed({}), text(header + "\xff\xacUserStateLen" + '\0'),  // -1 members
        text(header + "\xd1\xff\xff\xacUserStateLen" + '\0'),
        text(header + "\xce\x80" + std::string(3, '\0') + "\xacUserStateLen" + '\0'),
        text(header + std::string(1, '\0') + "\xacUserStateLen\xcf" + std::string(2, '\0') +
             "\x01" + std::string(5, '\0')),
        text("\x08\x81\xaaUserMsgLen\xcf" + std::string(2, '\0') + "\x01" + std::string(5, '\0')),
        text("\x08\x81\xaaUserMsgLen\xff")}) {
    const Outcome outcome = receive(true, bytes);
    EXPECT_EQ(outcome.messages, 0U) << test::to_hex(bytes);
    EXPECT_EQ(outcome.dropped, 1U) << test::to_hex(bytes);
    EXPECT_LE(outcome.peak, 4096U) << test::to_hex(bytes);
  }
}

}  // namespace
}  // namespace viaduct::gossip
