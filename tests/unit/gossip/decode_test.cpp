#include "gossip/decode.h"

#include <gmock/gmock.h>

#include <string>

#include "gossip/encode.h"
#include "gossip/limits.h"
#include "gossip/msgpack.h"
#include "tests/unit/gossip/samples.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using test::from_hex;
using testing::SizeIs;

/// A message by hand: a type and a map.
class Map {
 public:
  explicit Map(std::uint8_t type, std::size_t pairs) : out_(sink_) {
    sink_.u8(type);
    out_.map(pairs);
  }
  Map& number(std::string_view name, std::uint64_t value) {
    out_.text(name);
    out_.natural(value);
    return *this;
  }
  Map& raw(std::string_view name, base::ByteView value) {
    out_.text(name);
    out_.raw(value);
    return *this;
  }
  Map& text(std::string_view name, std::string_view value) {
    return raw(name, base::as_bytes(value));
  }
  const Bytes& bytes() const { return sink_.bytes(); }
  operator base::ByteView() const { return sink_.bytes(); }

 private:
  base::Writer sink_;
  MsgpackWriter<base::Writer> out_;
};

const Bytes kV4{192, 0, 2, 1}, kVersions{1, 5, 2, 2, 5, 4};

Map alive(base::ByteView address, base::ByteView versions, std::string_view name = "n",
          std::size_t meta = 0) {
  Map map(4, 6);
  map.raw("Addr", address).number("Incarnation", 1).raw("Meta", Bytes(meta, 'm'));
  map.text("Node", name).number("Port", 7946).raw("Vsn", versions);
  return map;
}

Errc error_of(base::ByteView bytes) {
  const auto message = decode_message(bytes);
  return message.has_error() ? message.error() : Errc{};
}
Errc stream_error_of(base::ByteView bytes) {
  ErrcCounts dropped;
  const auto message = decode_stream_message(bytes, dropped);
  return message.has_error() ? message.error() : Errc{};
}

TEST(Decode, ThePingOfTheProtocolsDescription) {
  const Bytes bytes = from_hex(
      "0085a44e6f6465a26e32a55365714e6f01aa536f7572636541646472a40a4d0004aa536f757263654e6f6465a26e"
      "34"
      "aa536f75726365506f7274cd1f0a");
  EXPECT_THAT(bytes, SizeIs(61));
  const Message ping = Ping{1, "n2", PingSource{{base::Address::v4({10, 77, 0, 4}), 7946}, "n4"}};
  EXPECT_EQ(decode_message(bytes).value(), ping);
  Bytes written;
  encode(ping, written);
  EXPECT_EQ(written, bytes);
  EXPECT_EQ(encoded_octets(ping), 61U);
}

TEST(Decode, WhatIsMissingIsZero) {
  EXPECT_EQ(decode_message(Bytes{0, 0x80}).value(), Message(Ping{}));
  EXPECT_EQ(decode_message(Bytes{2, 0xc0}).value(), Message(Ack{}));
  EXPECT_EQ(decode_message(Bytes{11, 0x90}).value(), Message(Nack{}));
  ErrcCounts dropped;
  EXPECT_EQ(decode_stream_message(Bytes{6, 0x80}, dropped).value(), StreamMessage(PushPull{}));
  EXPECT_EQ(decode_stream_message(Bytes{13, 0x80}, dropped).value(), StreamMessage(Refusal{}));
}

TEST(Decode, AnArrayIsInTheOrderOfGosStructs) {
  // Serf 0.9.4 understands these.
  EXPECT_EQ(decode_message(from_hex("009505a173a47f000001cd1f0aa26d65")).value(),
            Message(Ping{5, "s", PingSource{{base::Address::v4({127, 0, 0, 1}), 7946}, "me"}}));
  EXPECT_EQ(decode_message(from_hex("039301a173a26d65")).value(), Message(Suspect{1, "s", "me"}));
  EXPECT_EQ(decode_message(from_hex("049603a26d65a47f000001cd1f0aa0a6010502020504")).value(),
            Message(Alive{3, std::make_shared<const NodeInfo>(NodeInfo{
                                 "me", {base::Address::v4({127, 0, 0, 1}), 7946}, {}, {}})}));
  const auto indirect =
      decode_message(from_hex("019809a47f000001cd1f0aa26d65c3a47f000001cd1f0ba26d65")).value();
  EXPECT_EQ(indirect,
            Message(IndirectPing{9,
                                 {base::Address::v4({127, 0, 0, 1}), 7946},
                                 "me",
                                 true,
                                 PingSource{{base::Address::v4({127, 0, 0, 1}), 7947}, "me"}}));
  ErrcCounts dropped;
  const auto state = decode_stream_message(
      from_hex("06930100c397a26d65a47f000001cd1f0aa00900a6010502020504"), dropped);
  ASSERT_TRUE(state.has_value());
  EXPECT_TRUE(std::get<PushPull>(*state).join);
  EXPECT_THAT(std::get<PushPull>(*state).members, SizeIs(1));
}

TEST(Decode, APingWithoutAnAddressHasNoSource) {
  const auto source = [](base::ByteView bytes) {
    return std::get<Ping>(decode_message(bytes).value()).source;
  };
  EXPECT_FALSE(source(Map(0, 2).number("SeqNo", 1).text("SourceNode", "a")));
  EXPECT_FALSE(source(Map(0, 2).raw("SourceAddr", kV4).text("SourceNode", "a")));
  EXPECT_TRUE(source(Map(0, 2).raw("SourceAddr", kV4).number("SourcePort", 1)));
  EXPECT_EQ(error_of(Map(0, 2).raw("SourceAddr", Bytes(5, 1)).number("SourcePort", 1)),
            Errc::malformed);
}

TEST(Decode, AddressesAreOf4Or16Octets) {
  EXPECT_EQ(error_of(alive(kV4, kVersions)), Errc{});
  const Bytes mapped = from_hex("00000000000000000000ffffc0000201");
  EXPECT_EQ(decode_message(alive(mapped, kVersions)).value(),
            decode_message(alive(kV4, kVersions)).value());
  for (const std::size_t octets : {0, 1, 3, 5, 15, 17})
    EXPECT_EQ(error_of(alive(Bytes(octets, 1), kVersions)), Errc::malformed) << octets;
  EXPECT_EQ(error_of(Map(1, 2).raw("Target", Bytes(3, 1)).number("Port", 1)), Errc::malformed);
  EXPECT_EQ(error_of(Map(1, 1).number("Port", 1)), Errc::malformed);
}

TEST(Decode, VersionsAreSixOrNone) {
  for (const std::size_t octets : {1, 2, 3, 4, 5, 7})
    EXPECT_EQ(error_of(alive(kV4, Bytes(octets, 1))), Errc::malformed) << octets;
  const auto none = decode_message(alive(kV4, {})).value();
  EXPECT_EQ(std::get<Alive>(none).node->versions, (Versions{0, 0, 0, 0, 0, 0}))
      << "which no cluster understands";
}

TEST(Decode, NamesAndMetaHaveLimits) {
  EXPECT_EQ(error_of(alive(kV4, kVersions, std::string(255, 'n'), 512)), Errc{});
  EXPECT_EQ(error_of(alive(kV4, kVersions, std::string(256, 'n'))), Errc::too_large);
  EXPECT_EQ(error_of(alive(kV4, kVersions, "n", 513)), Errc::too_large);
  EXPECT_EQ(error_of(alive(kV4, kVersions, "")), Errc::malformed);
  EXPECT_EQ(error_of(Map(3, 2).number("Incarnation", 1).text("From", "a")), Errc::malformed);
  EXPECT_EQ(error_of(Map(5, 1).text("Node", std::string(256, 'n'))), Errc::too_large);
}

TEST(Decode, NumbersThatDoNotFitAreMalformed) {
  EXPECT_EQ(error_of(Map(11, 1).number("SeqNo", 0xffffffff)), Errc{});
  EXPECT_EQ(error_of(Map(11, 1).number("SeqNo", 0x100000000)), Errc::malformed);
  EXPECT_EQ(error_of(Map(1, 2).raw("Target", kV4).number("Port", 65'536)), Errc::malformed);
  EXPECT_EQ(error_of(from_hex("0b81a55365714e6fff")), Errc::malformed) << "-1";
}

TEST(Decode, TypesHaveTheirPlace) {
  for (int type = 0; type < 256; ++type) {
    const Bytes bytes{static_cast<std::uint8_t>(type)};
    const bool is_layer = type == 7 || type == 9 || type == 10 || type == 12 || type == 244;
    const bool only_stream = type == 6 || type == 13;
    const bool only_datagram = type == 1 || type == 3 || type == 4 || type == 5 || type == 11;
    const bool is_known = type <= 13 || type == 244;
    const Errc datagram = error_of(bytes), stream = stream_error_of(bytes);
    if (!is_known) {
      EXPECT_EQ(datagram, Errc::unknown_type) << type;
      EXPECT_EQ(stream, Errc::unknown_type) << type;
    } else {
      EXPECT_EQ(datagram == Errc::unexpected, is_layer || only_stream) << type;
      EXPECT_EQ(stream == Errc::unexpected, is_layer || only_datagram) << type;
    }
  }
  EXPECT_EQ(error_of({}), Errc::truncated);
  EXPECT_EQ(stream_error_of({}), Errc::truncated);
  EXPECT_EQ(error_of(Bytes{8}), Errc{}) << "an empty user message";
}

TEST(Decode, EveryMessageComesBack) {
  const base::Endpoint v6{*base::Address::parse("2001:db8::1"), 65'535};
  const auto node = std::make_shared<const NodeInfo>(
      NodeInfo{std::string(255, 'n'), v6, Bytes(512, 'm'), {1, 2, 3, 4, 5, 6}});
  for (const Message& message : std::initializer_list<Message>{
           Ping{0xffffffff, "x", PingSource{v6, ""}}, Ping{}, Ping{7, "", PingSource{v6, "y"}},
           IndirectPing{1, v6, "x", false, {}}, Ack{1, Bytes(1000, 1)}, Ack{}, Nack{2},
           Suspect{3, "a", ""}, Dead{0xffffffff, "a", "a"}, Alive{4, node}, User{Bytes(3, 4)},
           User{}}) {
    Bytes bytes;
    encode(message, bytes);
    EXPECT_EQ(decode_message(bytes).value(), message);
    EXPECT_EQ(encoded_octets(message), bytes.size());
  }
  PushPull push_pull{true, {}, Bytes(70'000, 9)};
  for (const NodeState state :
       {NodeState::alive, NodeState::suspect, NodeState::dead, NodeState::left})
    push_pull.members.push_back({node, 77, state});
  for (const StreamMessage& message : std::initializer_list<StreamMessage>{
           Ping{1, "x", PingSource{v6, "z"}}, Ack{2, {}}, push_pull, User{Bytes(70'000, 1)}, User{},
           Refusal{"no"}}) {
    Bytes bytes;
    encode(message, bytes);
    ErrcCounts dropped;
    EXPECT_EQ(decode_stream_message(bytes, dropped).value(), message);
    EXPECT_EQ(dropped.total(), 0U);
  }
}

Map member(base::ByteView address, base::ByteView versions, std::uint64_t state,
           std::string_view name = "n", std::size_t meta = 0) {
  Map map(0, 7);  // its type octet is cut off
  map.raw("Addr", address).number("Incarnation", 1).raw("Meta", Bytes(meta, 'm'));
  map.text("Name", name).number("Port", 1).number("State", state).raw("Vsn", versions);
  return map;
}

TEST(Decode, AMemberThatBreaksARuleIsLeftOutOfAPushPull) {
  const std::vector<Map> members{
      member(kV4, kVersions, 0),           member(Bytes(3, 1), kVersions, 0),
      member(kV4, Bytes(4, 1), 0),         member(kV4, kVersions, 4),
      member(kV4, kVersions, 0, ""),       member(kV4, kVersions, 0, std::string(300, 'n')),
      member(kV4, kVersions, 0, "n", 513), member(kV4, kVersions, 3)};
  base::Writer bytes;
  bytes.put(Map(6, 2).number("Nodes", members.size()).number("UserStateLen", 3));
  for (const Map& map : members) bytes.put(base::ByteView(map).subspan(1));
  bytes.put(base::as_bytes("xyz"));
  ErrcCounts dropped;
  const auto message = decode_stream_message(bytes.bytes(), dropped);
  ASSERT_TRUE(message.has_value());
  EXPECT_THAT(std::get<PushPull>(*message).members, SizeIs(2));
  EXPECT_EQ(std::get<PushPull>(*message).user_state, (Bytes{'x', 'y', 'z'}));
  EXPECT_EQ(dropped[Errc::malformed], 4U);
  EXPECT_EQ(dropped[Errc::too_large], 2U);
}

TEST(Decode, CountsAndLengthsHaveLimits) {
  EXPECT_EQ(stream_error_of(Map(6, 1).number("Nodes", kMaxMembers + 1)), Errc::too_large);
  EXPECT_EQ(stream_error_of(Map(6, 1).number("Nodes", kMaxMembers)), Errc::truncated);
  EXPECT_EQ(stream_error_of(Map(6, 1).number("UserStateLen", kMaxUserStateOctets + 1)),
            Errc::too_large);
  EXPECT_EQ(stream_error_of(Map(8, 1).number("UserMsgLen", kMaxUserOctets + 1)), Errc::too_large);
  EXPECT_EQ(stream_error_of(Map(8, 1).number("UserMsgLen", 5)), Errc::truncated);
  EXPECT_EQ(stream_error_of(Map(13, 1).text("Error", std::string(2000, 'e'))), Errc::too_large);
}

}  // namespace
}  // namespace viaduct::gossip
