// What must hold at every step, and what is asked at the end.

#include <cstdio>
#include <cstdlib>

#include "tests/sim/event.h"

namespace viaduct::sim {
namespace {

/// In clusters of up to this size every node's view of every other is looked at each time.
constexpr std::size_t kSmall = 64;
constexpr int kMaxIdleTicks = 50;

}  // namespace

using gossip::NodeState;

void Simulator::fail(NodeId node, const std::string& what) const {
  std::fprintf(stderr, "simulator: %s: %s, %.6f s after the start (seed %llu)\n",
               name(node).c_str(), what.c_str(),
               std::chrono::duration<double>(now_.time_since_epoch()).count() - 3600,
               static_cast<unsigned long long>(options_.seed));
  std::abort();
}

void Simulator::check(NodeId id) {
  Node& node = nodes_[id];
  const gossip::Membership& membership = node.engine->membership();
  if (membership.incarnation() < node.incarnation) fail(id, "its incarnation went back");
  node.incarnation = membership.incarnation();
  const auto self = membership.members().find(node.info->name);
  if (!self) fail(id, "it is no member of its own list");
  const gossip::Member& member = membership.members()[*self];
  if (member.state != (membership.leaving() ? NodeState::left : NodeState::alive))
    fail(id, "it does not hold itself for alive");
  if (member.incarnation != node.incarnation) fail(id, "it does not know its own incarnation");
  const std::size_t known = membership.members().size() + membership.gone().size();
  if (membership.members().size() > gossip::kMaxMembers) fail(id, "too many members");
  if (membership.gone().size() > gossip::kMaxMembers) fail(id, "too many remembered");
  // One piece of news about each that there is, and rows of members and a few strangers.
  constexpr std::size_t kStrangers = 64;
  if (node.engine->news().size() > known) fail(id, "more news than nodes");
  if (node.engine->table().queue().size() > known + kStrangers) fail(id, "more rows than nodes");
  if (node.idle_ticks > kMaxIdleTicks) fail(id, "its ticks come without end");
  if (nodes_.size() <= kSmall) check_order(id);
}

/// Nothing that is known goes back: no incarnation of a member, no version of an owner.
void Simulator::check_order(NodeId id) {
  Node& node = nodes_[id];
  const gossip::MemberList& members = node.engine->membership().members();
  for (const gossip::MemberId other : members.ids()) {
    const gossip::Member& member = members[other];
    gossip::Incarnation& before = node.incarnations[member.node->name];
    if (member.incarnation < before) fail(id, "an incarnation went back: " + member.node->name);
    before = member.incarnation;
    const bool doubted = node.engine->membership().suspicion(other) != nullptr;
    if (doubted != (member.state == NodeState::suspect))
      fail(id, "a suspicion without a suspect, or the reverse: " + member.node->name);
  }
  for (const auto& [owner, record] : node.engine->table().store().owners()) {
    gossip::TableVersion& before = node.versions[owner];
    if (record.version < before) fail(id, "rows went back: " + record.name);
    before = record.version;
  }
  if (node.versions.size() > node.engine->table().store().owners().size())
    std::erase_if(node.versions, [&](const auto& version) {
      return !node.engine->table().store().owners().contains(version.first);
    });
}

std::vector<Simulator::NodeId> Simulator::running() const {
  std::vector<NodeId> ids;
  for (NodeId id = 0; id < nodes_.size(); ++id)
    if (up(id)) ids.push_back(id);
  return ids;
}

std::optional<NodeState> Simulator::view(NodeId node, NodeId other) const {
  const gossip::MemberList& members = nodes_[node].engine->membership().members();
  const auto id = members.find(nodes_[other].info->name);
  if (!id) return {};
  return members[*id].state;
}

bool Simulator::agreed() const {
  const std::vector<NodeId> live = running();
  for (const NodeId id : live) {
    const gossip::MemberList& members = nodes_[id].engine->membership().members();
    if (members.count(NodeState::alive) != live.size() || members.count(NodeState::suspect) != 0)
      return false;
  }
  for (const NodeId id : live)
    for (const NodeId other : live)
      if (view(id, other) != NodeState::alive) return false;
  return true;
}

bool Simulator::tables_equal() const {
  const gossip::Digest* first = nullptr;
  for (const Node& node : nodes_) {
    if (!node.engine) continue;
    const gossip::Digest& digest = node.engine->table().store().digest();
    if (first && *first != digest) return false;
    first = &digest;
  }
  return true;
}

}  // namespace viaduct::sim
