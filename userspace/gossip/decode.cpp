#include "gossip/decode.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "gossip/limits.h"
#include "gossip/message_type.h"
#include "gossip/msgpack.h"
#include "gossip/node_fields.h"

namespace viaduct::gossip {
namespace {

// In the lists of names the order is that of Go's structs, which the array form follows.

using base::Bytes;
using base::ByteView;

constexpr std::uint64_t kMaxPort = UINT16_MAX;
constexpr std::uint64_t kMaxU32 = UINT32_MAX;

Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

/// Reads a name; views until the message is known to be good.
std::string_view name(MsgpackReader& in) { return base::as_text(in.raw(kMaxNameOctets)); }

Decoded<Ping> read_ping(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 5> kFields{"SeqNo", "Node", "SourceAddr",
                                                           "SourcePort", "SourceNode"};
  std::uint32_t sequence = 0;
  std::string_view node;
  SourceFields source;
  in.fields(kFields, [&](std::size_t field) {
    switch (field) {
      case 0:
        sequence = static_cast<Sequence>(in.natural(kMaxU32));
        break;
      case 1:
        node = name(in);
        break;
      case 2:
        source.address = in.raw(in.rest().size());
        break;
      case 3:
        source.port = static_cast<std::uint16_t>(in.natural(kMaxPort));
        break;
      case 4:
        source.node = name(in);
        break;
    }
  });
  if (in.failed()) return in.error();
  auto from = source.read();
  if (from.has_error()) return from.error();
  return Ping{sequence, std::string(node), *std::move(from)};
}

Decoded<IndirectPing> read_indirect_ping(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 8> kFields{
      "SeqNo", "Target", "Port", "Node", "Nack", "SourceAddr", "SourcePort", "SourceNode"};
  IndirectPing ping;
  std::string_view node;
  ByteView target;
  SourceFields source;
  in.fields(kFields, [&](std::size_t field) {
    switch (field) {
      case 0:
        ping.sequence = static_cast<Sequence>(in.natural(kMaxU32));
        break;
      case 1:
        target = in.raw(in.rest().size());
        break;
      case 2:
        ping.target.port = static_cast<std::uint16_t>(in.natural(kMaxPort));
        break;
      case 3:
        node = name(in);
        break;
      case 4:
        ping.nack = in.boolean();
        break;
      case 5:
        source.address = in.raw(in.rest().size());
        break;
      case 6:
        source.port = static_cast<std::uint16_t>(in.natural(kMaxPort));
        break;
      case 7:
        source.node = name(in);
        break;
    }
  });
  if (in.failed()) return in.error();
  const auto where = read_address(target);
  if (where.has_error()) return where.error();
  auto from = source.read();
  if (from.has_error()) return from.error();
  ping.target.address = *where;
  ping.node = node;
  ping.source = *std::move(from);
  return ping;
}

Decoded<Ack> read_ack(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 2> kFields{"SeqNo", "Payload"};
  std::uint32_t sequence = 0;
  ByteView payload;
  in.fields(kFields, [&](std::size_t field) {
    if (field == 0)
      sequence = static_cast<Sequence>(in.natural(kMaxU32));
    else
      payload = in.raw(in.rest().size());
  });
  if (in.failed()) return in.error();
  return Ack{sequence, to_bytes(payload)};
}

Decoded<Nack> read_nack(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 1> kFields{"SeqNo"};
  Nack nack;
  in.fields(kFields,
            [&](std::size_t) { nack.sequence = static_cast<Sequence>(in.natural(kMaxU32)); });
  if (in.failed()) return in.error();
  return nack;
}

/// Suspect or Dead.
template <class Accusation>
Decoded<Accusation> read_accusation(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 3> kFields{"Incarnation", "Node", "From"};
  std::uint32_t incarnation = 0;
  std::string_view node, from;
  in.fields(kFields, [&](std::size_t field) {
    switch (field) {
      case 0:
        incarnation = static_cast<Incarnation>(in.natural(kMaxU32));
        break;
      case 1:
        node = name(in);
        break;
      case 2:
        from = name(in);
        break;
    }
  });
  if (in.failed()) return in.error();
  if (node.empty()) return Errc::malformed;
  return Accusation{incarnation, std::string(node), std::string(from)};
}

Decoded<Alive> read_alive(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 6> kFields{"Incarnation", "Node", "Addr",
                                                           "Port",        "Meta", "Vsn"};
  Alive alive;
  NodeFields node;
  in.fields(kFields, [&](std::size_t field) {
    switch (field) {
      case 0:
        alive.incarnation = static_cast<Incarnation>(in.natural(kMaxU32));
        break;
      case 1:
        node.name = base::as_text(in.raw(in.rest().size()));
        break;
      case 2:
        node.address = in.raw(in.rest().size());
        break;
      case 3:
        node.port = static_cast<std::uint16_t>(in.natural(kMaxPort));
        break;
      case 4:
        node.meta = in.raw(in.rest().size());
        break;
      case 5:
        node.versions = in.raw(in.rest().size());
        break;
    }
  });
  if (in.failed()) return in.error();
  auto info = node.read();
  if (info.has_error()) return info.error();
  alive.node = *std::move(info);
  return alive;
}

/// Fails only if the bytes are no member; what breaks a rule is the outcome's error.
Decoded<MemberState> read_member(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 7> kFields{"Name",        "Addr",  "Port", "Meta",
                                                           "Incarnation", "State", "Vsn"};
  constexpr std::uint64_t kStates = 4;
  NodeFields node;
  std::uint32_t incarnation = 0;
  std::uint64_t state = 0;
  in.fields(kFields, [&](std::size_t field) {
    switch (field) {
      case 0:
        node.name = base::as_text(in.raw(in.rest().size()));
        break;
      case 1:
        node.address = in.raw(in.rest().size());
        break;
      case 2:
        node.port = static_cast<std::uint16_t>(in.natural(kMaxPort));
        break;
      case 3:
        node.meta = in.raw(in.rest().size());
        break;
      case 4:
        incarnation = static_cast<Incarnation>(in.natural(kMaxU32));
        break;
      case 5:
        state = in.natural(UINT64_MAX);
        break;
      case 6:
        node.versions = in.raw(in.rest().size());
        break;
    }
  });
  if (in.failed()) return in.error();
  if (state >= kStates) return Errc::malformed;
  auto info = node.read();
  if (info.has_error()) return info.error();
  return MemberState{*std::move(info), incarnation, static_cast<NodeState>(state)};
}

Decoded<PushPullHeader> read_push_pull_header(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 3> kFields{"Nodes", "UserStateLen", "Join"};
  PushPullHeader header;
  in.fields(kFields, [&](std::size_t field) {
    switch (field) {
      case 0:
        header.members = in.natural(SIZE_MAX);
        break;
      case 1:
        header.user_state_octets = in.natural(SIZE_MAX);
        break;
      case 2:
        header.join = in.boolean();
        break;
    }
  });
  if (in.failed()) return in.error();
  if (header.members > kMaxMembers || header.user_state_octets > kMaxUserStateOctets)
    return Errc::too_large;
  return header;
}

Decoded<PushPull> read_push_pull(MsgpackReader& in, ErrcCounts& dropped) {
  const auto header = read_push_pull_header(in);
  if (header.has_error()) return header.error();
  PushPull push_pull{header->join, {}, {}};
  for (std::size_t i = 0; i < header->members; ++i) {
    auto member = read_member(in);
    if (in.failed()) return in.error();
    if (member.has_error())
      dropped.add(member.error());
    else
      push_pull.members.push_back(*std::move(member));
  }
  push_pull.user_state = to_bytes(in.take(header->user_state_octets));
  if (in.failed()) return in.error();
  return push_pull;
}

Decoded<std::size_t> read_user_header(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 1> kFields{"UserMsgLen"};
  std::size_t octets = 0;
  in.fields(kFields, [&](std::size_t) { octets = in.natural(SIZE_MAX); });
  if (in.failed()) return in.error();
  if (octets > kMaxUserOctets) return Errc::too_large;
  return octets;
}

Decoded<User> read_stream_user(MsgpackReader& in) {
  const auto octets = read_user_header(in);
  if (octets.has_error()) return octets.error();
  const ByteView bytes = in.take(*octets);
  if (in.failed()) return in.error();
  return User{to_bytes(bytes)};
}

Decoded<Refusal> read_refusal(MsgpackReader& in) {
  static constexpr std::array<std::string_view, 1> kFields{"Error"};
  std::string_view error;
  in.fields(kFields, [&](std::size_t) { error = base::as_text(in.raw(kMaxErrorOctets)); });
  if (in.failed()) return in.error();
  return Refusal{std::string(error)};
}

/// A decoded alternative as the variant.
template <class Variant, class T>
Decoded<Variant> widen(Decoded<T> decoded) {
  if (decoded.has_error()) return decoded.error();
  return Variant(*std::move(decoded));
}

}  // namespace

Decoded<Message> decode_message(ByteView bytes) {
  if (bytes.empty()) return Errc::truncated;
  MsgpackReader in(bytes.subspan(1));
  switch (static_cast<MessageType>(bytes[0])) {
    case MessageType::ping:
      return widen<Message>(read_ping(in));
    case MessageType::indirect_ping:
      return widen<Message>(read_indirect_ping(in));
    case MessageType::ack:
      return widen<Message>(read_ack(in));
    case MessageType::suspect:
      return widen<Message>(read_accusation<Suspect>(in));
    case MessageType::alive:
      return widen<Message>(read_alive(in));
    case MessageType::dead:
      return widen<Message>(read_accusation<Dead>(in));
    case MessageType::user:
      return Message(User{to_bytes(in.rest())});
    case MessageType::nack:
      return widen<Message>(read_nack(in));
    case MessageType::push_pull:
    case MessageType::compound:
    case MessageType::compress:
    case MessageType::encrypt:
    case MessageType::crc:
    case MessageType::refusal:
    case MessageType::label:
      return Errc::unexpected;
  }
  return Errc::unknown_type;
}

Decoded<StreamMessage> decode_stream_message(ByteView bytes, ErrcCounts& dropped) {
  if (bytes.empty()) return Errc::truncated;
  MsgpackReader in(bytes.subspan(1));
  switch (static_cast<MessageType>(bytes[0])) {
    case MessageType::ping:
      return widen<StreamMessage>(read_ping(in));
    case MessageType::ack:
      return widen<StreamMessage>(read_ack(in));
    case MessageType::push_pull:
      return widen<StreamMessage>(read_push_pull(in, dropped));
    case MessageType::user:
      return widen<StreamMessage>(read_stream_user(in));
    case MessageType::refusal:
      return widen<StreamMessage>(read_refusal(in));
    case MessageType::indirect_ping:
    case MessageType::suspect:
    case MessageType::alive:
    case MessageType::dead:
    case MessageType::compound:
    case MessageType::compress:
    case MessageType::encrypt:
    case MessageType::nack:
    case MessageType::crc:
    case MessageType::label:
      return Errc::unexpected;
  }
  return Errc::unknown_type;
}

Decoded<PushPullHeader> decode_push_pull_header(ByteView body) {
  MsgpackReader in(body);
  return read_push_pull_header(in);
}

Decoded<std::size_t> decode_user_header(ByteView body) {
  MsgpackReader in(body);
  return read_user_header(in);
}

Decoded<ByteView> decode_compressed(ByteView body) {
  static constexpr std::array<std::string_view, 2> kFields{"Algo", "Buf"};
  std::uint64_t algorithm = 0;
  ByteView compressed;
  MsgpackReader in(body);
  in.fields(kFields, [&](std::size_t field) {
    if (field == 0)
      algorithm = in.natural(UINT64_MAX);
    else
      compressed = in.raw(in.rest().size());
  });
  if (in.failed()) return in.error();
  if (algorithm != 0) return Errc::malformed;
  return compressed;
}

}  // namespace viaduct::gossip
