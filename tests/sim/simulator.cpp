#include "sim/simulator.h"

#include <cstdio>
#include <cstdlib>

#include "gossip/encode.h"
#include "gossip/meta.h"

namespace viaduct::sim {

using gossip::StreamMessage;

namespace {

constexpr base::Duration kConnectTimeout = std::chrono::seconds(10);
/// Linux' first time-outs: of a SYN, and of data.
constexpr base::Duration kSynTimeout = std::chrono::seconds(1);
constexpr base::Duration kDataTimeout = std::chrono::milliseconds(200);
constexpr std::uint16_t kPort = 7946;

std::size_t octets(const StreamMessage& message) {
  base::Bytes encoded;
  gossip::encode(message, encoded);
  return encoded.size();
}

}  // namespace

struct Simulator::Event {
  enum class Kind : std::uint8_t { free, tick, packet, request, answer, stream_end, action };
  Kind kind = Kind::free;
  NodeId node = 0;  ///< where it happens
  NodeId from = 0;
  std::uint32_t generation = 0;  ///< of `node`, for what belongs to one process
  std::uint32_t from_generation = 0;
  gossip::StreamId stream = 0;
  std::vector<gossip::MessagePtr> messages;
  std::shared_ptr<const StreamMessage> said;
  std::function<void()> action;
};

Simulator::Simulator(Options options) : options_(std::move(options)), rng_(options_.seed) {
  now_ = base::Time{} + std::chrono::hours(1);
  nodes_.resize(options_.nodes);
  for (NodeId i = 0; i < nodes_.size(); ++i) {
    gossip::NodeInfo info;
    info.name = name(i);
    info.endpoint = {base::Address::v4(0x0a000001 + i), kPort};
    info.meta = gossip::encode_tags({{"role", "viaduct"}, {gossip::kViaductTag, "1"}});
    by_address_[info.endpoint.address] = i;
    nodes_[i].info = std::make_shared<const gossip::NodeInfo>(std::move(info));
  }
}

Simulator::~Simulator() = default;

std::string Simulator::name(NodeId node) const {
  constexpr std::size_t kDigits = 5;
  const std::string digits = std::to_string(node);
  return "node-" + std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
}

void Simulator::start(NodeId id) {
  Node& node = nodes_[id];
  gossip::EngineOptions engine;
  engine.timing = options_.timing;
  engine.random_seed = rng_.next();
  for (NodeId seed = 0; seed < options_.seeds && seed < nodes_.size(); ++seed)
    engine.seeds.push_back(nodes_[seed].info->endpoint);
  ++node.generation;
  node.incarnation = 0;
  node.on = true;
  node.paused = false;
  node.tick_at = base::Time::max();
  node.engine = std::make_unique<gossip::Engine>(node.info, std::move(engine), now_);
  settle(id);
}

void Simulator::start_all() {
  for (NodeId id = 0; id < nodes_.size(); ++id) start(id);
}

void Simulator::start_joined() {
  gossip::PushPull all;
  for (const Node& node : nodes_) all.members.push_back({node.info, 1, gossip::NodeState::alive});
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    start(id);
    engine(id).on_request(all, nodes_[id].info->endpoint, now_, actions_);
    actions_.clear();  // nobody hears of what all know
    settle(id);
  }
}

void Simulator::kill(NodeId node) { nodes_[node].engine.reset(); }

void Simulator::cut(NodeId node) {
  kill(node);
  nodes_[node].on = false;
}

void Simulator::restart(NodeId node) {
  kill(node);
  start(node);
}

void Simulator::pause(NodeId node) { nodes_[node].paused = true; }

void Simulator::resume(NodeId node) {
  nodes_[node].paused = false;
  if (!up(node)) return;
  nodes_[node].tick_at = base::Time::max();
  settle(node);
}

void Simulator::block(NodeId from, NodeId to) { blocked_.emplace(from, to); }
void Simulator::unblock_all() { blocked_.clear(); }
void Simulator::partition(std::function<int(NodeId)> side) { side_ = std::move(side); }
void Simulator::heal() { side_ = nullptr; }

bool Simulator::reachable(NodeId from, NodeId to) const {
  if (!nodes_[to].on || !nodes_[from].on) return false;
  if (side_ && side_(from) != side_(to)) return false;
  return blocked_.empty() || !blocked_.contains({from, to});
}

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
  for (; rng_.chance(options_.network.loss); timeout *= 2) total += timeout;
  return total;
}

std::optional<Simulator::NodeId> Simulator::find(const base::Endpoint& endpoint) const {
  const auto found = by_address_.find(endpoint.address);
  if (found == by_address_.end() || endpoint.port != kPort) return {};
  return found->second;
}

void Simulator::schedule(base::Time at, Event event) {
  std::uint32_t slot = static_cast<std::uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.push_back(std::move(event));
  } else {
    slot = free_.back();
    free_.pop_back();
    slots_[slot] = std::move(event);
  }
  due_.push({at, next_number_++, slot});
}

void Simulator::after(base::Duration delay, std::function<void()> action) {
  Event event;
  event.kind = Event::Kind::action;
  event.action = std::move(action);
  schedule(now_ + delay, std::move(event));
}

void Simulator::run_for(base::Duration duration) {
  const base::Time end = now_ + duration;
  while (!due_.empty() && due_.top().at <= end) {
    const Due due = due_.top();
    due_.pop();
    now_ = due.at;
    Event event = std::move(slots_[due.slot]);
    slots_[due.slot] = {};
    free_.push_back(due.slot);
    ++events_;
    step(event);
  }
  now_ = end;
}

bool Simulator::run_until(base::Duration limit, base::Duration step,
                          const std::function<bool()>& done) {
  const base::Time end = now_ + limit;
  while (!done()) {
    if (now_ >= end) return false;
    run_for(step);
  }
  return true;
}

void Simulator::step(Event& event) {
  Node& node = nodes_[event.node];
  switch (event.kind) {
    case Event::Kind::free:
      break;
    case Event::Kind::action:
      event.action();
      break;
    case Event::Kind::tick:
      if (node.engine && !node.paused && node.generation == event.generation &&
          node.tick_at == now_) {
        node.tick_at = base::Time::max();
        node.engine->on_tick(now_, actions_);
        settle(event.node);
      }
      break;
    case Event::Kind::packet:
    case Event::Kind::request:
    case Event::Kind::answer:
    case Event::Kind::stream_end:
      deliver(event);
      break;
  }
}

void Simulator::deliver(Event& event) {
  Node& node = nodes_[event.node];
  if (node.paused && node.on) {  // it waits in the socket's buffer
    constexpr base::Duration kWait = std::chrono::milliseconds(50);
    return schedule(now_ + kWait, std::move(event));
  }
  if (event.kind != Event::Kind::packet) return on_stream(event);
  if (!node.engine || !reachable(event.from, event.node)) return;
  node.engine->on_packet(event.messages, nodes_[event.from].info->endpoint, now_, actions_);
  settle(event.node);
}

void Simulator::on_stream(Event& event) {
  Node& node = nodes_[event.node];
  if (event.kind == Event::Kind::request) {
    if (!reachable(event.from, event.node) || !reachable(event.node, event.from))
      return end_stream(event.from, event.stream, kConnectTimeout);
    if (!node.engine) return end_stream(event.from, event.stream, delay());
    auto answer =
        node.engine->on_request(*event.said, nodes_[event.from].info->endpoint, now_, actions_);
    settle(event.node);
    if (!answer) return end_stream(event.from, event.stream, delay());
    if (options_.count_bytes) traffic_.stream_bytes += octets(*answer);
    Event back;
    back.kind = Event::Kind::answer;
    back.node = event.from;
    back.from = event.node;
    back.generation = event.from_generation;
    back.stream = event.stream;
    back.said = std::make_shared<const StreamMessage>(*std::move(answer));
    return schedule(now_ + stream_delay(kDataTimeout), std::move(back));
  }
  if (!node.engine || node.generation != event.generation) return;
  if (event.kind == Event::Kind::stream_end) {
    node.engine->on_stream_end(event.stream, now_, actions_);
    return settle(event.node);
  }
  if (!reachable(event.from, event.node))
    return end_stream(event.node, event.stream, kConnectTimeout);
  auto next = node.engine->on_answer(event.stream, *event.said, now_, actions_);
  settle(event.node);
  if (!next) return end_stream(event.node, event.stream, base::Duration::zero());
  if (options_.count_bytes) traffic_.stream_bytes += octets(*next);
  Event more;
  more.kind = Event::Kind::request;
  more.node = event.from;
  more.from = event.node;
  more.from_generation = event.generation;
  more.stream = event.stream;
  more.said = std::make_shared<const StreamMessage>(*std::move(next));
  schedule(now_ + stream_delay(kDataTimeout), std::move(more));
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
  ++traffic_.packets;
  if (options_.count_bytes)
    for (const auto& message : packet.messages)
      traffic_.packet_bytes += gossip::encoded_octets(*message) +
                               (packet.messages.size() > 1 ? gossip::kPartOverhead : 0);
  const auto to = find(packet.to);
  if (!to || !reachable(from, *to)) return;
  const int copies = rng_.chance(options_.network.duplication) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    if (rng_.chance(options_.network.loss)) continue;
    Event event;
    event.kind = Event::Kind::packet;
    event.node = *to;
    event.from = from;
    event.messages = packet.messages;
    schedule(now_ + delay(), std::move(event));
  }
}

void Simulator::open_stream(NodeId from, gossip::OpenStream& stream) {
  ++traffic_.streams;
  if (options_.count_bytes) traffic_.stream_bytes += octets(stream.first);
  const auto to = find(stream.to);
  if (!to) return end_stream(from, stream.id, kConnectTimeout);
  Event event;
  event.kind = Event::Kind::request;
  event.node = *to;
  event.from = from;
  event.from_generation = nodes_[from].generation;
  event.stream = stream.id;
  event.said = std::make_shared<const StreamMessage>(std::move(stream.first));
  const base::Duration connect = stream_delay(kSynTimeout) + stream_delay(kSynTimeout);
  schedule(now_ + connect + stream_delay(kDataTimeout), std::move(event));
}

void Simulator::perform(NodeId node, gossip::Actions& actions) {
  actions_ = std::move(actions);
  settle(node);
}

/// Performs what the engine wants and sees to its next tick.
void Simulator::settle(NodeId id) {
  gossip::Actions actions = std::exchange(actions_, {});
  for (gossip::SendPacket& packet : actions.packets) send_packet(id, packet);
  for (gossip::OpenStream& stream : actions.streams) open_stream(id, stream);
  if (watch_)
    for (const gossip::MemberChanged& change : actions.changes) watch_(id, change);
  check(id);
  Node& node = nodes_[id];
  if (!node.engine) return;
  const base::Time next = std::max(node.engine->next_tick(), now_ + std::chrono::microseconds(100));
  if (next >= node.tick_at) return;
  node.tick_at = next;
  Event event;
  event.kind = Event::Kind::tick;
  event.node = id;
  event.generation = node.generation;
  schedule(next, std::move(event));
}

/// What must hold at every step.
void Simulator::check(NodeId id) {
  Node& node = nodes_[id];
  if (!node.engine) return;
  const gossip::Membership& membership = node.engine->membership();
  const auto fail = [&](const char* what) {
    std::fprintf(stderr, "simulator: %s: %s (seed %llu)\n", name(id).c_str(), what,
                 static_cast<unsigned long long>(options_.seed));
    std::abort();
  };
  if (membership.incarnation() < node.incarnation) fail("its incarnation went back");
  node.incarnation = membership.incarnation();
  const auto self = membership.members().find(node.info->name);
  if (!self) fail("it is no member of its own list");
  const gossip::NodeState state = membership.members()[*self].state;
  if (state != (membership.leaving() ? gossip::NodeState::left : gossip::NodeState::alive))
    fail("it does not hold itself for alive");
  if (membership.members().size() > gossip::kMaxMembers) fail("too many members");
}

std::optional<gossip::NodeState> Simulator::view(NodeId node, NodeId other) const {
  const gossip::MemberList& members = nodes_[node].engine->membership().members();
  const auto id = members.find(nodes_[other].info->name);
  if (!id) return {};
  return members[*id].state;
}

bool Simulator::agreed() const {
  std::size_t running = 0;
  for (const Node& node : nodes_) running += node.engine != nullptr;
  for (const Node& node : nodes_) {
    if (!node.engine) continue;
    const gossip::MemberList& members = node.engine->membership().members();
    if (members.count(gossip::NodeState::alive) != running ||
        members.count(gossip::NodeState::suspect) != 0)
      return false;
  }
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (!nodes_[id].engine) continue;
    for (NodeId other = 0; other < nodes_.size(); ++other)
      if (nodes_[other].engine && view(id, other) != gossip::NodeState::alive) return false;
  }
  return true;
}

}  // namespace viaduct::sim
