// The members' side of a push-pull.

#include <algorithm>
#include <utility>

#include "gossip/membership.h"

namespace viaduct::gossip {
namespace {

/// Suspects of one push-pull that hear of it from this node at once.
constexpr std::size_t kToldDirectly = 64;

}  // namespace

PushPull Membership::state(bool join, const PushPull* remote) const {
  PushPull all;
  all.join = join;
  all.members.reserve(members_.size());
  for (const MemberId id : members_.ids()) {
    const Member& member = members_[id];
    all.members.push_back({member.node, member.incarnation, member.state});
  }
  if (remote == nullptr) return all;
  for (const MemberState& said : remote->members) {
    if (said.state != NodeState::alive) continue;
    const auto gone = gone_.find(said.node->name);
    if (gone != gone_.end() && said.incarnation <= gone->second.incarnation)
      all.members.push_back({gone->second.node, gone->second.incarnation, gone->second.state});
  }
  return all;
}

void Membership::merge(const PushPull& remote, base::Time now, Actions& out) {
  quiet_ = members_.size() == 1;
  std::size_t told = 0;
  for (const MemberState& member : remote.members) {
    const std::string& name = member.node->name;
    std::optional<Suspect> accusation;
    switch (member.state) {
      case NodeState::alive:
        on_alive({member.incarnation, member.node}, now, out);
        accusation = outlived(member);
        break;
      case NodeState::left:
        on_dead({member.incarnation, name, name}, now, out);
        break;
      case NodeState::dead:  // it may have come back: it gets the time to say so
      case NodeState::suspect:
        if (doubt({member.incarnation, name, self_->name}, now, out))
          accusation = Suspect{member.incarnation, name, self_->name};
        break;
    }
    if (!accusation || told == kToldDirectly) continue;
    ++told;
    tell(*std::move(accusation), member.node->endpoint, out);
  }
  quiet_ = false;
}

/// @return whether a suspicion begins.
bool Membership::doubt(const Suspect& suspect, base::Time now, Actions& out) {
  const std::size_t before = suspicions_.size();
  on_suspect(suspect, now, out);
  return suspicions_.size() > before;
}

/// What somebody has to hear who lives for others, but has an end behind it here: it does not know
/// that, and what it says is too old to bring it back.
std::optional<Suspect> Membership::outlived(const MemberState& member) const {
  if (gone_.empty()) return {};
  const auto gone = gone_.find(member.node->name);
  if (gone == gone_.end()) return {};
  return Suspect{gone->second.incarnation, member.node->name, self_->name};
}

/// Lets a suspect hear of it at once, so that it can refute: when two halves of a cluster find each
/// other again, each holds all of the other for dead, and gossip alone would take long.
void Membership::tell(Suspect suspect, const base::Endpoint& endpoint, Actions& out) {
  out.packets.push_back({endpoint, {std::make_shared<const Message>(std::move(suspect))}});
}

}  // namespace viaduct::gossip
