// The network of a simulator: packets and streams, as messages or as bytes.

#include <algorithm>

#include "gossip/encode.h"
#include "gossip/packet.h"
#include "tests/sim/event.h"

namespace viaduct::sim {

using gossip::StreamMessage;

namespace {

/// A stream that takes longer is given up, as the daemon does.
constexpr base::Duration kStreamPatience = std::chrono::seconds(10);
/// Linux' first time-outs: of a SYN, and of data.
constexpr base::Duration kSynTimeout = std::chrono::seconds(1);
constexpr base::Duration kDataTimeout = std::chrono::milliseconds(200);
/// What waits in a paused process's sockets is offered again so often.
constexpr base::Duration kBuffered = std::chrono::milliseconds(50);

std::size_t octets(const StreamMessage& message) {
  base::Bytes encoded;
  gossip::encode(message, encoded);
  return encoded.size();
}

}  // namespace

base::Duration Simulator::delay() {
  const Network& network = options_.network;
  const base::Duration spread = network.max_delay - network.min_delay;
  base::Duration delay =
      network.min_delay + base::Duration(static_cast<base::Duration::rep>(
                              static_cast<double>(spread.count()) * rng_.unit()));
  if (rng_.chance(network.reordering)) delay *= 1 + static_cast<int>(rng_.below(10));
  return delay;
}

base::Duration Simulator::stream_delay(base::Duration timeout) {
  base::Duration total = delay();
  for (; total < kStreamPatience && rng_.chance(options_.network.loss); timeout *= 2)
    total += timeout;
  return total;
}

gossip::Nonce Simulator::nonce() {
  gossip::Nonce nonce{};
  std::uint64_t number = ++nonces_;
  for (std::uint8_t& octet : nonce) {
    octet = static_cast<std::uint8_t>(number);
    number >>= 8;
  }
  return nonce;
}

void Simulator::deliver(Event& event) {
  const Node& node = nodes_[event.node];
  if (node.paused && node.on) return schedule(now_ + kBuffered, std::move(event));
  if (event.kind == Event::Kind::packet) return on_packet(event);
  on_stream(event);
}

void Simulator::on_packet(Event& event) {
  Node& node = nodes_[event.node];
  if (!node.engine || !reachable(event.from, event.node)) return;
  if (event.bytes) {
    auto opened = gossip::open_packet(*event.bytes, options_.bytes->wire, options_.bytes->keyring);
    const bool whole = opened.dropped.total() == 0;
    if (!event.damaged && !whole) fail(event.node, "a packet of an engine cannot be read");
    traffic_.dropped += whole ? 0U : 1U;
    if (event.damaged && whole && !options_.bytes->keyring.empty())
      fail(event.node, "a damaged packet was taken");
    for (gossip::Message& message : opened.messages)
      event.messages.push_back(std::make_shared<const gossip::Message>(std::move(message)));
  }
  if (node.kind == Kind::foreign)
    for (const auto& message : event.messages)
      if (std::holds_alternative<gossip::User>(*message))
        fail(event.node, "a foreign node got rows");
  node.engine->on_packet(event.messages, event.source, now_, actions_);
  settle(event.node);
}

/// Makes a message of a stream's bytes, fed in pieces.
/// @return false: it cannot be read.
bool Simulator::read(Event& event) {
  if (!event.bytes) return true;
  gossip::StreamReader& reader =
      event.kind == Event::Kind::request ? event.pipe->at_acceptor : event.pipe->at_dialler;
  base::ByteView left = *event.bytes;
  std::optional<gossip::Decoded<StreamMessage>> message;
  while (!message) {
    if (left.empty()) return false;
    const std::size_t piece = std::min<std::size_t>(left.size(), 1 + rng_.below(20'000));
    reader.feed(left.first(piece));
    left = left.subspan(piece);
    message = reader.next();
  }
  if (!left.empty() || !*message || reader.take_dropped().total() != 0) return false;
  event.said = std::make_shared<const StreamMessage>(*std::move(*message));
  return true;
}

void Simulator::on_stream(Event& event) {
  const Node& node = nodes_[event.node];
  if (event.kind == Event::Kind::request) {
    if (!reachable(event.from, event.node) || !reachable(event.node, event.from))
      return end_stream(event.from, event.stream, kStreamPatience);
    if (!node.engine) return end_stream(event.from, event.stream, delay());
    return on_request(event);
  }
  if (!node.engine || node.generation != event.generation) return;
  if (event.kind == Event::Kind::stream_end) {
    node.engine->on_stream_end(event.stream, now_, actions_);
    return settle(event.node);
  }
  if (!reachable(event.from, event.node))
    return end_stream(event.node, event.stream, kStreamPatience);
  on_answer(event);
}

void Simulator::on_request(Event& event) {
  if (!read(event)) fail(event.node, "a stream of an engine cannot be read");
  const Node& node = nodes_[event.node];
  if (node.kind == Kind::foreign && std::holds_alternative<gossip::User>(*event.said))
    fail(event.node, "a foreign node is asked for rows");
  auto answer =
      node.engine->on_request(*event.said, nodes_[event.from].info->endpoint, now_, actions_);
  settle(event.node);
  if (!answer) return end_stream(event.from, event.stream, delay());
  Event back;
  back.kind = Event::Kind::answer;
  back.node = event.from;
  back.from = event.node;
  back.generation = event.from_generation;
  back.from_generation = event.generation;
  back.stream = event.stream;
  back.pipe = event.pipe;
  say(std::move(back), *std::move(answer), stream_delay(kDataTimeout));
}

void Simulator::on_answer(Event& event) {
  if (!read(event)) fail(event.node, "a stream's answer cannot be read");
  auto next = nodes_[event.node].engine->on_answer(event.stream, *event.said, now_, actions_);
  settle(event.node);
  if (!next) return end_stream(event.node, event.stream, base::Duration::zero());
  Event more;
  more.kind = Event::Kind::request;
  more.node = event.from;
  more.from = event.node;
  more.from_generation = event.generation;
  more.stream = event.stream;
  more.pipe = event.pipe;
  say(std::move(more), *std::move(next), stream_delay(kDataTimeout));
}

void Simulator::say(Event event, StreamMessage message, base::Duration delay) {
  if (options_.bytes) {
    const Options::Bytes& bytes = *options_.bytes;
    base::Bytes octets;
    if (!event.pipe->begun) octets = gossip::stream_head(bytes.wire);
    event.pipe->begun = true;
    const auto sealed =
        gossip::seal_stream(message, bytes.wire, bytes.keyring, [this] { return nonce(); });
    if (!sealed) fail(event.from, "it says more on a stream than anybody would read");
    octets.insert(octets.end(), sealed->begin(), sealed->end());
    traffic_.stream_bytes += octets.size();
    event.bytes = std::make_shared<const base::Bytes>(std::move(octets));
  } else {
    if (options_.count_bytes) traffic_.stream_bytes += octets(message);
    event.said = std::make_shared<const StreamMessage>(std::move(message));
  }
  if (delay >= kStreamPatience) {
    const NodeId dialler = event.kind == Event::Kind::request ? event.from : event.node;
    return end_stream(dialler, event.stream, kStreamPatience);
  }
  schedule(now_ + delay, std::move(event));
}

void Simulator::end_stream(NodeId node, gossip::StreamId id, base::Duration delay) {
  Event event;
  event.kind = Event::Kind::stream_end;
  event.node = node;
  event.generation = nodes_[node].generation;
  event.stream = id;
  schedule(now_ + delay, std::move(event));
}

void Simulator::send_packet(NodeId from, gossip::SendPacket& packet) {
  if (nodes_[from].kind == Kind::foreign)
    std::erase_if(packet.messages, [](const auto& message) {
      return std::holds_alternative<gossip::User>(*message);
    });
  if (packet.messages.empty()) return;
  ++traffic_.packets;
  const auto to = find(packet.to);
  if (options_.bytes) {
    if (to && reachable(from, *to)) send_datagrams(from, *to, packet);
    return;
  }
  if (options_.count_bytes)
    for (const auto& message : packet.messages)
      traffic_.packet_bytes += gossip::encoded_octets(*message) +
                               (packet.messages.size() > 1 ? gossip::kPartOverhead : 0);
  if (!to || !reachable(from, *to)) return;
  Event event;
  event.kind = Event::Kind::packet;
  event.node = *to;
  event.from = from;
  event.source = nodes_[from].info->endpoint;
  event.messages = std::move(packet.messages);
  send_copies(event);
}

void Simulator::send_datagrams(NodeId from, NodeId to, const gossip::SendPacket& packet) {
  const Options::Bytes& bytes = *options_.bytes;
  gossip::SealedPackets sealed = gossip::seal_packet(packet.messages, packet.crc, bytes.wire,
                                                     bytes.keyring, [this] { return nonce(); });
  if (sealed.too_large != 0 || sealed.datagrams.size() != 1)
    fail(from, "what it sends does not fit into a packet");
  for (base::Bytes& datagram : sealed.datagrams) {
    traffic_.packet_bytes += datagram.size();
    Event event;
    event.kind = Event::Kind::packet;
    event.node = to;
    event.from = from;
    event.source = nodes_[from].info->endpoint;
    event.damaged = rng_.chance(bytes.damage);
    if (event.damaged) {
      ++traffic_.damaged;
      datagram[rng_.below(datagram.size())] ^= static_cast<std::uint8_t>(1 + rng_.below(255));
    }
    event.bytes = std::make_shared<const base::Bytes>(std::move(datagram));
    send_copies(event);
  }
}

void Simulator::send_copies(const Event& event) {
  const int copies = rng_.chance(options_.network.duplication) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy)
    if (!rng_.chance(options_.network.loss)) schedule(now_ + delay(), event);
}

void Simulator::inject(NodeId to, std::vector<gossip::MessagePtr> messages,
                       const base::Endpoint& from) {
  Event event;
  event.kind = Event::Kind::packet;
  event.node = to;
  event.from = to;
  event.source = from;
  event.messages = std::move(messages);
  schedule(now_ + delay(), std::move(event));
}

void Simulator::open_stream(NodeId from, gossip::OpenStream& stream) {
  const auto to = find(stream.to);
  const bool rows = std::holds_alternative<gossip::User>(stream.first);
  if (!to || (rows && nodes_[from].kind == Kind::foreign))
    return end_stream(from, stream.id, kStreamPatience);
  ++traffic_.streams;
  Event event;
  event.kind = Event::Kind::request;
  event.node = *to;
  event.from = from;
  event.from_generation = nodes_[from].generation;
  event.stream = stream.id;
  if (options_.bytes) event.pipe = std::make_shared<Pipe>(*options_.bytes);
  const base::Duration connect = stream_delay(kSynTimeout) + stream_delay(kSynTimeout);
  say(std::move(event), std::move(stream.first), connect + stream_delay(kDataTimeout));
}

}  // namespace viaduct::sim
