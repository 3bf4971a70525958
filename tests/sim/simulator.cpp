#include "tests/sim/simulator.h"

#include <algorithm>

#include "gossip/meta.h"
#include "tests/sim/event.h"

namespace viaduct::sim {
namespace {

constexpr std::uint16_t kPort = 7946;
constexpr std::uint32_t kFirstAddress = 0x0a000001;
/// No engine has something to do more often.
constexpr base::Duration kShortestTick = std::chrono::microseconds(100);

std::string name_of(Simulator::NodeId node) {
  constexpr std::size_t kDigits = 5;
  const std::string digits = std::to_string(node);
  return "node-" + std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
}

base::Bytes meta_of(Kind kind) {
  if (kind == Kind::foreign) return gossip::encode_tags({{"role", "web"}});
  return gossip::encode_tags({{"role", "viaduct"}, {gossip::kViaductTag, "1"}});
}

}  // namespace

Simulator::Simulator(Options options) : options_(std::move(options)), rng_(options_.seed) {
  now_ = base::Time{} + std::chrono::hours(1);
  nodes_.resize(options_.nodes);
  for (NodeId i = 0; i < nodes_.size(); ++i) {
    gossip::NodeInfo info;
    info.name = name_of(i);
    info.endpoint = {base::Address::v4(kFirstAddress + i), kPort};
    info.meta = meta_of(Kind::viaduct);
    by_address_.push_back(i);
    nodes_[i].info = std::make_shared<const gossip::NodeInfo>(std::move(info));
  }
}

Simulator::~Simulator() = default;

void Simulator::set_info(NodeId node, gossip::NodeInfo info) {
  nodes_[node].info = std::make_shared<const gossip::NodeInfo>(std::move(info));
}

void Simulator::set_kind(NodeId node, Kind kind) {
  nodes_[node].kind = kind;
  gossip::NodeInfo info = *nodes_[node].info;
  info.meta = meta_of(kind);
  set_info(node, std::move(info));
}

void Simulator::move(NodeId node) {
  gossip::NodeInfo info = *nodes_[node].info;
  info.endpoint.address =
      base::Address::v4(kFirstAddress + static_cast<std::uint32_t>(by_address_.size()));
  by_address_.push_back(node);
  set_info(node, std::move(info));
}

std::optional<Simulator::NodeId> Simulator::find(const base::Endpoint& endpoint) const {
  if (!endpoint.address.is_v4()) return {};
  const std::uint32_t place = endpoint.address.v4_value() - kFirstAddress;
  if (place >= by_address_.size()) return {};
  const NodeId node = by_address_[place];
  if (nodes_[node].info->endpoint != endpoint) return {};
  return node;
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
  node.incarnations.clear();
  node.versions.clear();
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

void Simulator::leave(NodeId node) {
  engine(node).leave(now_);
  settle(node);
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
void Simulator::filter(std::function<bool(NodeId, NodeId)> passes) { passes_ = std::move(passes); }
void Simulator::heal() { passes_ = nullptr; }

void Simulator::partition(std::function<int(NodeId)> side) {
  filter([side = std::move(side)](NodeId from, NodeId to) { return side(from) == side(to); });
}

bool Simulator::reachable(NodeId from, NodeId to) const {
  if (!nodes_[to].on || !nodes_[from].on) return false;
  if (passes_ && !passes_(from, to)) return false;
  return blocked_.empty() || !blocked_.contains({from, to});
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
  Node& node = nodes_[id];
  if (!node.engine) return;
  check(id);
  const base::Time wanted = node.engine->next_tick();
  const base::Time next = std::max(wanted, now_ + kShortestTick);
  if (next >= node.tick_at) return;
  node.idle_ticks = wanted <= now_ ? node.idle_ticks + 1 : 0;
  node.tick_at = next;
  Event event;
  event.kind = Event::Kind::tick;
  event.node = id;
  event.generation = node.generation;
  schedule(next, std::move(event));
}

}  // namespace viaduct::sim
