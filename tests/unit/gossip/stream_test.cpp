#include "gossip/stream.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "gossip/encode.h"
#include "gossip/limits.h"
#include "gossip/lzw.h"
#include "tests/unit/gossip/memory.h"
#include "tests/unit/gossip/samples.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using base::ByteView;
using testing::ElementsAre;
using testing::ElementsAreArray;

Keyring ring(std::initializer_list<std::string_view> keys) {
  Keyring keyring;
  for (const std::string_view key : keys) keyring.install(base::as_bytes(key)).value();
  return keyring;
}
constexpr std::string_view kKey = "0123456789abcdef", kOtherKey = "fedcba9876543210";
Nonce zero_nonce() { return {}; }

PushPull push_pull(std::size_t members, std::size_t user_state) {
  PushPull message{false, {}, Bytes(user_state, 's')};
  for (std::size_t i = 0; i < members; ++i) {
    const NodeInfo node{"node-" + std::to_string(i), {base::Address::v4(0xc0000201), 7946}, {}, {}};
    message.members.push_back({std::make_shared<const NodeInfo>(node), 1, NodeState::alive});
  }
  return message;
}

struct Layers {
  const char* name;
  WireOptions options;
  std::vector<std::string_view> keys;

  friend void PrintTo(const Layers& layers, std::ostream* out) { *out << layers.name; }
};

/// What a reader finds in octets, fed in pieces.
struct Found {
  std::vector<StreamMessage> messages;
  std::optional<Errc> error;
  bool idle = true;
};

Found read(StreamReader& reader, ByteView bytes, std::size_t piece) {
  Found found;
  for (std::size_t at = 0; at < bytes.size() && !found.error; at += piece) {
    reader.feed(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    while (auto message = reader.next()) {
      if (message->has_error()) {
        found.error = message->error();
        break;
      }
      found.messages.push_back(**std::move(message));
    }
  }
  found.idle = reader.idle();
  return found;
}

class Stream : public testing::TestWithParam<Layers> {
 protected:
  void SetUp() override {
    for (const std::string_view key : GetParam().keys)
      keyring_.install(base::as_bytes(key)).value();
  }
  Bytes write(const std::vector<StreamMessage>& messages) const {
    Bytes bytes = stream_head(GetParam().options);
    for (const StreamMessage& message : messages) {
      const Bytes more = seal_stream(message, GetParam().options, keyring_, zero_nonce).value();
      bytes.insert(bytes.end(), more.begin(), more.end());
    }
    return bytes;
  }
  StreamReader reader() const { return {StreamSide::dialler, GetParam().options, keyring_}; }

  Keyring keyring_;
};

TEST_P(Stream, MessagesComeThroughHoweverTheyAreCut) {
  const std::vector<StreamMessage> messages{
      Ping{1, "b", PingSource{{base::Address::v4(0xc0000202), 1}, "a"}},
      push_pull(40, 300),
      User{Bytes(5000, 'u')},
      User{},
      push_pull(0, 0),
      Refusal{"no"},
      Ack{2, {}}};
  const Bytes bytes = write(messages);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{17},
                                  std::size_t{1000}, bytes.size()}) {
    StreamReader reading = reader();
    const Found found = read(reading, bytes, piece);
    EXPECT_FALSE(found.error) << piece;
    EXPECT_TRUE(found.idle) << piece;
    EXPECT_THAT(found.messages, ElementsAreArray(messages)) << piece;
  }
}

TEST_P(Stream, AMessageIsThereWithItsLastOctetAndNotBefore) {
  const std::vector<StreamMessage> messages{push_pull(2, 3)};
  const Bytes bytes = write(messages);
  StreamReader reading = reader();
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    reading.feed(ByteView(bytes).subspan(i, 1));
    ASSERT_FALSE(reading.next()) << i;
    const std::size_t head = stream_head(GetParam().options).size();
    EXPECT_EQ(reading.idle(), i + 1 == head) << i;
  }
  reading.feed(ByteView(bytes).last(1));
  EXPECT_EQ(reading.next()->value(), messages[0]);
  EXPECT_TRUE(reading.idle());
  EXPECT_FALSE(reading.next());
}

TEST_P(Stream, LongMessagesInShortPiecesTakeTimeInProportion) {
  // Some 2 MB an octet at a time; anything worse than linear would not end.
  const std::vector<StreamMessage> messages{push_pull(16'384, 1'000'000)};
  const Bytes bytes = write(messages);
  StreamReader reading = reader();
  const Found found = read(reading, bytes, 1);
  EXPECT_FALSE(found.error);
  EXPECT_THAT(found.messages, ElementsAreArray(messages));
  EXPECT_LT(reading.held(), 2 * bytes.size());
}

INSTANTIATE_TEST_SUITE_P(All, Stream,
                         testing::Values(Layers{"Plain", {"", false}, {}},
                                         Layers{"Compressed", {"", true}, {}},
                                         Layers{"Labelled", {"prod", false}, {}},
                                         Layers{"Encrypted", {"", false}, {kKey}},
                                         Layers{"Everything", {"prod", true}, {kKey, kOtherKey}}),
                         [](const auto& test) { return test.param.name; });

const WireOptions kPlain{"", false}, kLabelled{"prod", false};
const Keyring kNoKeys;

Errc error_of(ByteView bytes, const WireOptions& options = kPlain, const Keyring& keyring = kNoKeys,
              StreamSide from = StreamSide::dialler) {
  StreamReader reader(from, options, keyring);
  return read(reader, bytes, 1).error.value_or(Errc{});
}
Bytes plain(const StreamMessage& message) {
  Bytes bytes;
  encode(message, bytes);
  return bytes;
}
/// A literal, zeros included.
template <std::size_t kSize>
Bytes text(const char (&literal)[kSize]) {
  return {literal, literal + kSize - 1};
}

TEST(StreamReader, OnlyTheDiallersHalfHasALabel) {
  const Bytes ack = plain(Ack{1, {}});
  Bytes labelled = stream_head(kLabelled);
  labelled.insert(labelled.end(), ack.begin(), ack.end());
  EXPECT_EQ(error_of(labelled, kLabelled), Errc{});
  EXPECT_EQ(error_of(ack, kLabelled), Errc::wrong_label);
  EXPECT_EQ(error_of(ack, kLabelled, kNoKeys, StreamSide::acceptor), Errc{});
  EXPECT_EQ(error_of(labelled, kLabelled, kNoKeys, StreamSide::acceptor), Errc::unexpected);
  EXPECT_EQ(error_of(labelled, kPlain), Errc::wrong_label);
  EXPECT_EQ(error_of(text("\xf4\x04prox"), kLabelled), Errc::wrong_label);
  EXPECT_EQ(error_of(text("\xf4\xff"), kLabelled), Errc::wrong_label) << "without waiting for 255";
}

TEST(StreamReader, EncryptionIsAskedForAtTheFirstOctet) {
  const Keyring keys = ring({kKey}), others = ring({kOtherKey});
  const Bytes frame = seal_stream(Ack{1, {}}, kPlain, keys, zero_nonce).value();
  EXPECT_EQ(error_of(frame, kPlain, keys), Errc{});
  EXPECT_EQ(error_of(frame, kPlain, others), Errc::wrong_key);
  EXPECT_EQ(error_of(ByteView(frame).first(1), kPlain, kNoKeys), Errc::wrong_key);
  EXPECT_EQ(error_of(Bytes{0}, kPlain, keys), Errc::not_encrypted);
  WireOptions lenient = kPlain;
  lenient.verify_incoming = false;
  EXPECT_EQ(error_of(plain(Ack{1, {}}), lenient, keys), Errc{});
}

TEST(StreamReader, TheLengthAndLabelOfAFrameAreBoundToItsText) {
  const Keyring keys = ring({kKey});
  const Bytes frame = seal_stream(Ack{1, {}}, kLabelled, keys, zero_nonce).value();
  EXPECT_EQ(error_of(frame, kLabelled, keys, StreamSide::acceptor), Errc{});
  EXPECT_EQ(error_of(frame, kPlain, keys, StreamSide::acceptor), Errc::wrong_key);
}

TEST(StreamReader, LengthsOverALimitFailBeforeAnythingComes) {
  const Keyring keys = ring({kKey});
  EXPECT_EQ(error_of(Bytes{10, 2, 0, 0, 1}, kPlain, keys), Errc::too_large) << "32 MiB + 1";
  EXPECT_EQ(error_of(Bytes{10, 0, 0, 0, 28}, kPlain, keys), Errc::truncated) << "nothing in it";
  EXPECT_EQ(error_of(Bytes{10, 2, 0, 0, 0}, kPlain, keys), Errc{}) << "32 MiB may come";
  EXPECT_EQ(error_of(text("\x08\x81\xaaUserMsgLen\xce\x00\x40\x00\x01")), Errc::too_large);
  EXPECT_EQ(error_of(text("\x06\x81\xa5Nodes\xcd\x40\x01")), Errc::too_large);
  EXPECT_EQ(error_of(text("\x06\x81\xacUserStateLen\xce\x00\x40\x00\x01")), Errc::too_large);
  EXPECT_EQ(error_of(text("\x0d\x81\xa5"
                          "Error\xdb\x00\x01\x00\x00")),
            Errc::too_large);
  EXPECT_EQ(error_of(text("\x09\x81\xa3"
                          "Buf\xdb\x02\x00\x00\x01")),
            Errc::too_large);
}

TEST(StreamReader, AFieldThatNeverEndsIsCutAtItsLimit) {
  Bytes bytes = text("\x00\xdf\xff\xff\xff\xff");
  EXPECT_EQ(error_of(bytes), Errc::too_large) << "more fields than octets may come";
  bytes = text("\x00\xde\x80\x00");
  for (int i = 0; i < 40'000; ++i) bytes.insert(bytes.end(), {0xa0, 0xc0});
  EXPECT_EQ(error_of(bytes), Errc::too_large);
}

TEST(StreamReader, ASumOfManyMembersIsCutAtItsLimit) {
  // 16,384 members of nearly 64 KiB each would be 1 GiB.
  base::Writer member;
  member.u8(0x81);
  member.u8(0xa1);
  member.u8('X');
  member.u8(0xda);
  member.u16(60'000);
  member.put(Bytes(60'000, 0));
  const WireOptions options = kPlain;
  StreamReader reader(StreamSide::dialler, options, kNoKeys);
  reader.feed(text("\x06\x81\xa5Nodes\xcd\x40\x00"));
  std::optional<Decoded<StreamMessage>> message;
  std::size_t fed = 0;
  for (; fed < 100'000'000 && !message; fed += member.size()) {
    reader.feed(member.bytes());
    message = reader.next();
  }
  ASSERT_TRUE(message);
  EXPECT_EQ(message->error(), Errc::too_large);
  EXPECT_LT(fed, kMaxStreamOctets + 200'000);
  EXPECT_EQ(reader.held(), 0U);
}

TEST(StreamReader, ALieReservesNothing) {
  const Keyring keys = ring({kKey});
  const std::size_t peak = test::peak_octets([&] {
    EXPECT_EQ(error_of(Bytes{10, 1, 0xff, 0xff, 0xff, 1, 2, 3}, kPlain, keys), Errc{});
    EXPECT_EQ(error_of(text("\x08\x81\xaaUserMsgLen\xce\x00\x3f\xff\xff only this")), Errc{});
    EXPECT_EQ(error_of(text("\x06\x81\xa5Nodes\xcd\x3f\xff")), Errc{});
    EXPECT_EQ(error_of(text("\x09\x81\xa3"
                            "Buf\xdb\x01\xff\x00\x00")),
              Errc{});
  });
  EXPECT_LT(peak, 4096U);
}

TEST(StreamReader, ABombStopsAtTheLimit) {
  Bytes bomb;
  encode_compressed(lzw_compress(Bytes(42'000'000, 0)), bomb);
  EXPECT_LT(bomb.size(), 40'000U);
  const std::size_t peak = test::peak_octets([&] { EXPECT_EQ(error_of(bomb), Errc::too_large); });
  EXPECT_LT(peak, 2 * kMaxStreamOctets);
}

TEST(StreamReader, LayersHaveOneOrder) {
  const auto compressed = [](ByteView bytes) {
    Bytes out;
    encode_compressed(lzw_compress(bytes), out);
    return out;
  };
  const Bytes ack = plain(Ack{1, {}});
  EXPECT_EQ(error_of(compressed(ack)), Errc{});
  EXPECT_EQ(error_of(compressed(compressed(ack))), Errc::unexpected);
  EXPECT_EQ(error_of(compressed({})), Errc::truncated);
  EXPECT_EQ(error_of(text("\x09\x80")), Errc::truncated) << "compressed nothing";
}

TEST(StreamReader, AnErrorStays) {
  StreamReader reader(StreamSide::dialler, kPlain, kNoKeys);
  reader.feed(Bytes{0xee});
  EXPECT_EQ(reader.next()->error(), Errc::unknown_type);
  reader.feed(plain(Ack{1, {}}));
  EXPECT_EQ(reader.next()->error(), Errc::unknown_type);
  EXPECT_FALSE(reader.idle());
  EXPECT_EQ(reader.held(), 0U);
}

TEST(StreamReader, WhatWasReadIsNotKept) {
  StreamReader reader(StreamSide::dialler, kPlain, kNoKeys);
  const Bytes large = plain(User{Bytes(1'000'000, 'u')}), small = plain(Ack{1, {}});
  const std::size_t before = test::peak_octets([] {});
  reader.feed(large);
  ASSERT_TRUE(reader.next());
  for (int i = 0; i < 1000; ++i) {
    reader.feed(small);
    ASSERT_TRUE(reader.next());
  }
  EXPECT_LT(reader.held(), 100U);
  EXPECT_EQ(before, 0U);
}

TEST(SealStream, WhatNoPeerWouldReadIsNotWritten) {
  EXPECT_EQ(seal_stream(User{Bytes(kMaxStreamOctets + 1, 0)}, kPlain, kNoKeys, zero_nonce).error(),
            Errc::too_large);
}

}  // namespace
}  // namespace viaduct::gossip
