#include "gossip/encode.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "gossip/message_type.h"
#include "gossip/msgpack.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using base::ByteView;

/// A sink that only counts.
class Counter {
 public:
  std::size_t octets() const { return octets_; }
  void u8(std::uint8_t) { octets_ += 1; }
  void u16(std::uint16_t) { octets_ += 2; }
  void u32(std::uint32_t) { octets_ += 4; }
  void u64(std::uint64_t) { octets_ += 8; }
  void put(ByteView bytes) { octets_ += bytes.size(); }

 private:
  std::size_t octets_ = 0;
};

/// base::Writer's face on somebody else's buffer.
class Appender {
 public:
  explicit Appender(Bytes& out) : out_(out) {}
  void u8(std::uint8_t value) { out_.push_back(value); }
  void u16(std::uint16_t value) { big_endian(value, 2); }
  void u32(std::uint32_t value) { big_endian(value, 4); }
  void u64(std::uint64_t value) { big_endian(value, 8); }
  void put(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

 private:
  void big_endian(std::uint64_t value, int length) {
    for (int shift = 8 * (length - 1); shift >= 0; shift -= 8)
      u8(static_cast<std::uint8_t>(value >> shift));
  }
  Bytes& out_;
};

/// Writes messages. Keys stand in byte order, as Go's encoder sorts them.
template <class Sink>
class Encoder {
 public:
  explicit Encoder(Sink& sink) : sink_(sink), out_(sink) {}

  void operator()(const Ping& ping) {
    begin(MessageType::ping, 2 + source_fields(ping.source));
    text("Node", ping.node);
    natural("SeqNo", ping.sequence);
    source(ping.source);
  }
  void operator()(const IndirectPing& ping) {
    begin(MessageType::indirect_ping, 5 + source_fields(ping.source));
    boolean("Nack", ping.nack);
    text("Node", ping.node);
    natural("Port", ping.target.port);
    natural("SeqNo", ping.sequence);
    source(ping.source);
    raw("Target", ping.target.address.octets());
  }
  void operator()(const Ack& ack) {
    begin(MessageType::ack, 2);
    raw_or_nil("Payload", ack.payload);
    natural("SeqNo", ack.sequence);
  }
  void operator()(const Nack& nack) {
    begin(MessageType::nack, 1);
    natural("SeqNo", nack.sequence);
  }
  void operator()(const Suspect& suspect) {
    accusation(MessageType::suspect, suspect.from, suspect.incarnation, suspect.node);
  }
  void operator()(const Dead& dead) {
    accusation(MessageType::dead, dead.from, dead.incarnation, dead.node);
  }
  void operator()(const Alive& alive) {
    const NodeInfo& node = *alive.node;
    begin(MessageType::alive, 6);
    raw("Addr", node.endpoint.address.octets());
    natural("Incarnation", alive.incarnation);
    raw_or_nil("Meta", node.meta);
    text("Node", node.name);
    natural("Port", node.endpoint.port);
    versions(node.versions);
  }
  /// In a datagram: up to its end.
  void operator()(const User& user) {
    sink_.u8(static_cast<std::uint8_t>(MessageType::user));
    sink_.put(user.bytes);
  }
  void stream_user(const User& user) {
    begin(MessageType::user, 1);
    natural("UserMsgLen", user.bytes.size());
    sink_.put(user.bytes);
  }
  void operator()(const PushPull& push_pull) {
    begin(MessageType::push_pull, 3);
    boolean("Join", push_pull.join);
    natural("Nodes", push_pull.members.size());
    natural("UserStateLen", push_pull.user_state.size());
    for (const MemberState& state : push_pull.members) member(state);
    sink_.put(push_pull.user_state);
  }
  void operator()(const Refusal& refusal) {
    begin(MessageType::refusal, 1);
    text("Error", refusal.error);
  }
  void compressed(ByteView bytes) {
    begin(MessageType::compress, 2);
    natural("Algo", 0);
    raw("Buf", bytes);
  }

 private:
  void begin(MessageType type, std::size_t fields) {
    sink_.u8(static_cast<std::uint8_t>(type));
    out_.map(fields);
  }
  void boolean(std::string_view name, bool value) {
    out_.text(name);
    out_.boolean(value);
  }
  void natural(std::string_view name, std::uint64_t value) {
    out_.text(name);
    out_.natural(value);
  }
  void text(std::string_view name, std::string_view value) {
    out_.text(name);
    out_.text(value);
  }
  void raw(std::string_view name, ByteView value) {
    out_.text(name);
    out_.raw(value);
  }
  void raw_or_nil(std::string_view name, ByteView value) {
    out_.text(name);
    out_.raw_or_nil(value);
  }

  static std::size_t source_fields(const std::optional<PingSource>& source) {
    return !source ? 0 : source->node.empty() ? 2 : 3;
  }
  /// The only fields that are left out when empty.
  void source(const std::optional<PingSource>& source) {
    if (!source) return;
    raw("SourceAddr", source->endpoint.address.octets());
    if (!source->node.empty()) text("SourceNode", source->node);
    natural("SourcePort", source->endpoint.port);
  }
  void accusation(MessageType type, const std::string& from, Incarnation incarnation,
                  const std::string& node) {
    begin(type, 3);
    text("From", from);
    natural("Incarnation", incarnation);
    text("Node", node);
  }
  void versions(const Versions& versions) {
    raw("Vsn", std::array{versions.protocol_min, versions.protocol_max, versions.protocol,
                          versions.delegate_min, versions.delegate_max, versions.delegate});
  }
  void member(const MemberState& state) {
    const NodeInfo& node = *state.node;
    out_.map(7);
    raw("Addr", node.endpoint.address.octets());
    natural("Incarnation", state.incarnation);
    raw_or_nil("Meta", node.meta);
    text("Name", node.name);
    natural("Port", node.endpoint.port);
    natural("State", static_cast<std::uint8_t>(state.state));
    versions(node.versions);
  }

  Sink& sink_;
  MsgpackWriter<Sink> out_;
};

}  // namespace

void encode(const Message& message, Bytes& out) {
  Appender sink(out);
  std::visit(Encoder(sink), message);
}

std::size_t encoded_octets(const Message& message) {
  Counter sink;
  std::visit(Encoder(sink), message);
  return sink.octets();
}

void encode(const StreamMessage& message, Bytes& out) {
  Appender sink(out);
  Encoder encoder(sink);
  if (const User* user = std::get_if<User>(&message))
    encoder.stream_user(*user);
  else
    std::visit(encoder, message);
}

void encode_compressed(ByteView compressed, Bytes& out) {
  Appender sink(out);
  Encoder(sink).compressed(compressed);
}

}  // namespace viaduct::gossip
