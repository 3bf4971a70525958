#include "gossip/packet.h"

#include <gmock/gmock.h>

#include <memory>

#include "gossip/encode.h"
#include "gossip/lzw.h"
#include "tests/unit/gossip/samples.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using base::ByteView;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Keyring ring(std::initializer_list<std::string_view> keys) {
  Keyring keyring;
  for (const std::string_view key : keys) keyring.install(base::as_bytes(key)).value();
  return keyring;
}
constexpr std::string_view kKey = "0123456789abcdef", kOtherKey = "fedcba9876543210";

/// Counts up, so that no two are equal.
Nonce next_nonce() {
  static std::uint8_t count = 0;
  Nonce nonce{};
  nonce[0] = ++count;
  return nonce;
}

std::vector<MessagePtr> shared(std::initializer_list<Message> messages) {
  std::vector<MessagePtr> list;
  for (const Message& message : messages) list.push_back(std::make_shared<const Message>(message));
  return list;
}
Message user(std::size_t octets, char what = 'u') {
  return User{Bytes(octets, static_cast<std::uint8_t>(what))};
}
/// Does not compress.
Message noise(std::size_t octets) {
  Bytes bytes(octets);
  std::uint32_t state = 7;
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return User{bytes};
}

const WireOptions kPlain{"", false};

struct Wire {
  WireOptions options = kPlain;
  Keyring keyring;

  SealedPackets seal(const std::vector<MessagePtr>& messages, bool with_crc = false,
                     std::size_t budget = kPacketBudget) const {
    return seal_packet(messages, with_crc, options, keyring, next_nonce, budget);
  }
  OpenedPacket open(ByteView datagram) const { return open_packet(datagram, options, keyring); }
  std::vector<Message> through(const std::vector<MessagePtr>& messages, bool with_crc) const {
    std::vector<Message> all;
    for (const Bytes& datagram : seal(messages, with_crc).datagrams) {
      OpenedPacket opened = open(datagram);
      EXPECT_EQ(opened.dropped.total(), 0U);
      std::move(opened.messages.begin(), opened.messages.end(), std::back_inserter(all));
    }
    return all;
  }
};

Bytes compound(std::initializer_list<Bytes> parts) {
  base::Writer out;
  out.u8(7);
  out.u8(static_cast<std::uint8_t>(parts.size()));
  for (const Bytes& part : parts) out.u16(static_cast<std::uint16_t>(part.size()));
  for (const Bytes& part : parts) out.put(part);
  return out.bytes();
}
Bytes compressed(ByteView plain) {
  Bytes out;
  encode_compressed(lzw_compress(plain), out);
  return out;
}
Bytes nack(std::uint8_t sequence) {
  Bytes out;
  encode(Message(Nack{sequence}), out);
  return out;
}

TEST(Packet, AMessageAloneIsNoCompound) {
  const Wire wire;
  EXPECT_THAT(wire.seal(shared({Nack{5}})).datagrams, ElementsAre(nack(5)));
  EXPECT_THAT(wire.seal(shared({Nack{5}, Nack{6}})).datagrams,
              ElementsAre(compound({nack(5), nack(6)})));
  EXPECT_THAT(wire.seal({}).datagrams, IsEmpty());
}

TEST(Packet, EveryCombinationOfLayersComesThrough) {
  const auto messages = shared({Nack{1}, user(200), noise(100)});
  for (const char* label : {"", "prod"})
    for (const bool compress : {false, true})
      for (const bool with_crc : {false, true})
        for (const bool encrypts : {false, true}) {
          Wire wire{{label, compress}, encrypts ? ring({kKey}) : Keyring()};
          EXPECT_THAT(wire.through(messages, with_crc),
                      ElementsAre(*messages[0], *messages[1], *messages[2]));
        }
}

TEST(Packet, IsCompressedOnlyWhenThatHelps) {
  const Wire wire{{"", true}, {}};
  EXPECT_LT(wire.seal(shared({user(500)})).datagrams[0].size(), 100U);
  EXPECT_EQ(wire.seal(shared({noise(500)})).datagrams[0].size(), 501U);
}

TEST(Packet, PacketsStayWithinTheirBudget) {
  for (const char* label : {"", "prod"})
    for (const bool with_crc : {false, true})
      for (const bool encrypts : {false, true}) {
        const Wire wire{{label, false}, encrypts ? ring({kKey}) : Keyring()};
        const std::size_t room = packet_room(with_crc, wire.options, wire.keyring);
        // Two that fill it to the last octet, then one octet more.
        const std::size_t half = (room - kCompoundOctets) / 2 - kCompoundPartOctets - 1;
        const std::size_t rest = room - kCompoundOctets - 2 * kCompoundPartOctets - 1 - half - 1;
        auto packets = wire.seal(shared({user(half), user(rest)}), with_crc);
        ASSERT_THAT(packets.datagrams, SizeIs(1));
        EXPECT_EQ(packets.datagrams[0].size(), kPacketBudget);
        packets = wire.seal(shared({user(half), user(rest + 1)}), with_crc);
        EXPECT_THAT(packets.datagrams, SizeIs(2));
      }
}

TEST(Packet, ACompoundHasAtMost255Parts) {
  const Wire wire;
  const std::vector<MessagePtr> many(600, std::make_shared<const Message>(Nack{1}));
  const auto packets = wire.seal(many, false, 60'000);
  ASSERT_THAT(packets.datagrams, SizeIs(3));
  EXPECT_THAT(wire.open(packets.datagrams[0]).messages, SizeIs(255));
  EXPECT_THAT(wire.open(packets.datagrams[2]).messages, SizeIs(90));
}

TEST(Packet, AMessageOverTheBudgetTravelsAlone) {
  const Wire wire;
  const auto packets = wire.seal(shared({Nack{1}, user(5000), Nack{2}}));
  ASSERT_THAT(packets.datagrams, SizeIs(3));
  EXPECT_EQ(packets.datagrams[1].size(), 5001U);
  const auto none = wire.seal(shared({user(kMaxPacketOctets)}));
  EXPECT_THAT(none.datagrams, IsEmpty());
  EXPECT_EQ(none.too_large, 1U);
  EXPECT_THAT(wire.seal(shared({user(kMaxPacketOctets - 1)})).datagrams, SizeIs(1));
}

TEST(Packet, OneBadPartLosesNoOther) {
  const Wire wire;
  const Bytes bad{0x0b, 0x81, 0xa5};
  const auto opened = wire.open(compound(
      {nack(1), {}, bad, {0x99}, compressed(nack(2)), compound({nack(3), bad}), {6}, nack(4)}));
  EXPECT_THAT(opened.messages,
              ElementsAre(Message(Nack{1}), Message(Nack{2}), Message(Nack{3}), Message(Nack{4})));
  EXPECT_EQ(opened.dropped[Errc::truncated], 3U);
  EXPECT_EQ(opened.dropped[Errc::unknown_type], 1U);
  EXPECT_EQ(opened.dropped[Errc::unexpected], 1U);
  EXPECT_EQ(opened.dropped.total(), 5U);
}

TEST(Packet, NoDatagramVanishesUncounted) {
  for (const Bytes& datagram :
       {Bytes{}, Bytes{7}, Bytes{7, 0}, Bytes{7, 1}, compressed(Bytes{7, 0})})
    EXPECT_EQ(Wire{}.open(datagram).dropped.total(), 1U) << test::to_hex(datagram);
}

TEST(Packet, WhatIsWholeInACutCompoundIsHeard) {
  const Wire wire;
  const Bytes whole = compound({nack(1), nack(2), nack(3)});
  for (std::size_t octets = 2 + 6; octets < whole.size(); ++octets) {
    const auto opened = wire.open(ByteView(whole).first(octets));
    const std::size_t parts = (octets - 8) / 9;
    EXPECT_THAT(opened.messages, SizeIs(parts)) << octets;
    EXPECT_EQ(opened.dropped[Errc::truncated], 3 - parts) << octets;
  }
}

TEST(Packet, LayersMayNotNestDeeperThanAnybodyNests) {
  const Wire wire;
  Bytes packet = nack(1);
  for (int layers = 1; layers <= 6; ++layers) {
    packet = layers % 2 ? compound({packet}) : compressed(packet);
    const auto opened = wire.open(packet);
    EXPECT_EQ(opened.messages.size(), layers <= kMaxLayers ? 1U : 0U) << layers;
    EXPECT_EQ(opened.dropped[Errc::too_deep], layers <= kMaxLayers ? 0U : 1U) << layers;
  }
}

TEST(Packet, CompressedPartsShareOneLimit) {
  const Wire wire;
  const Bytes part = compressed(Bytes(40'000, 8));
  const auto opened = wire.open(compound({part, part, nack(1)}));
  EXPECT_THAT(opened.messages, SizeIs(2));
  EXPECT_EQ(opened.dropped[Errc::too_large], 1U);
}

TEST(Packet, AWrongChecksumIsDropped) {
  const Wire wire;
  Bytes packet = wire.seal(shared({user(50)}), true).datagrams[0];
  EXPECT_EQ(packet[0], 12);
  packet.back() ^= 1;
  EXPECT_EQ(wire.open(packet).dropped[Errc::bad_crc], 1U);
  EXPECT_EQ(wire.open(Bytes{12, 0, 0, 0}).dropped[Errc::truncated], 1U);
  EXPECT_EQ(wire.open(compound({packet})).dropped[Errc::unexpected], 1U) << "only outside";
}

TEST(Packet, OtherClustersAreNotHeard) {
  const Wire plain, labelled{{"prod", false}, {}}, sealed{kPlain, ring({kKey})},
      both{{"prod", false}, ring({kKey})}, other_label{{"test", false}, ring({kKey})},
      other_key{{"prod", false}, ring({kOtherKey})};
  const auto dropped = [](const Wire& to, const Wire& from) {
    const OpenedPacket opened = to.open(from.seal(shared({user(50)})).datagrams[0]);
    EXPECT_THAT(opened.messages, IsEmpty());
    for (int errc = 1; errc < static_cast<int>(kErrcs); ++errc)
      if (opened.dropped[static_cast<Errc>(errc)] == 1) return static_cast<Errc>(errc);
    return Errc{};
  };
  EXPECT_EQ(dropped(plain, labelled), Errc::wrong_label);
  EXPECT_EQ(dropped(labelled, plain), Errc::wrong_label);
  EXPECT_EQ(dropped(both, other_label), Errc::wrong_label);
  EXPECT_EQ(dropped(both, labelled), Errc::not_encrypted);
  EXPECT_EQ(dropped(both, other_key), Errc::wrong_key);
  EXPECT_EQ(dropped(sealed, plain), Errc::not_encrypted);
}

TEST(Packet, TheLabelIsBoundToTheText) {
  const Wire wire{{"prod", false}, ring({kKey})}, renamed{{"test", false}, ring({kKey})};
  Bytes packet = wire.seal(shared({Nack{1}})).datagrams[0];
  const Bytes label{'t', 'e', 's', 't'};
  std::copy(label.begin(), label.end(), packet.begin() + 2);
  EXPECT_EQ(renamed.open(packet).dropped[Errc::wrong_key], 1U);
}

TEST(Packet, WhileEncryptionIsIntroducedBothAreHeard) {
  Wire lenient{kPlain, ring({kKey})};
  lenient.options.verify_incoming = false;
  const Wire plain, sealing{kPlain, ring({kKey})};
  for (const Wire* from : {&plain, &sealing})
    EXPECT_THAT(lenient.open(from->seal(shared({Nack{1}})).datagrams[0]).messages, SizeIs(1));
  lenient.options.verify_outgoing = false;
  EXPECT_THAT(plain.open(lenient.seal(shared({Nack{1}})).datagrams[0]).messages, SizeIs(1));
}

TEST(Packet, EachDatagramHasItsOwnNonce) {
  const Wire wire{kPlain, ring({kKey})};
  const auto packets = wire.seal(shared({noise(1000), noise(1000)}));
  ASSERT_THAT(packets.datagrams, SizeIs(2));
  EXPECT_NE(Bytes(packets.datagrams[0].begin() + 1, packets.datagrams[0].begin() + 13),
            Bytes(packets.datagrams[1].begin() + 1, packets.datagrams[1].begin() + 13));
}

}  // namespace
}  // namespace viaduct::gossip
