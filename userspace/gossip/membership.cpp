#include "gossip/membership.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "gossip/encode.h"
#include "gossip/meta.h"

namespace viaduct::gossip {
namespace {

constexpr base::Duration kReapInterval = std::chrono::seconds(5);
/// Refutations: this many at once, then one a second.
constexpr int kRefutationBurst = 8;
constexpr base::Duration kRefutationInterval = std::chrono::seconds(1);
/// Nobody refutes so often that it comes near. What says more is forged: believed, it would leave
/// no larger incarnation to refute it with.
constexpr Incarnation kMaxIncarnation = std::numeric_limits<Incarnation>::max() / 2;
constexpr Incarnation kMaxIncarnationJump = Incarnation{1} << 24;
/// Accusers that shorten a suspicion are fewer by this than SuspicionMult.
constexpr int kFirstAccusers = 2;

bool has_usable_versions(const Versions& versions) {
  return versions.protocol_min > 0 && versions.protocol_min <= versions.protocol &&
         versions.protocol <= versions.protocol_max && versions.delegate_min <= versions.delegate &&
         versions.delegate <= versions.delegate_max;
}

}  // namespace

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::alive:
      return "alive";
    case NodeState::suspect:
      return "suspect";
    case NodeState::dead:
      return "dead";
    case NodeState::left:
      return "left";
  }
  return "unknown";
}

Membership::Membership(NodeInfoPtr self, const Timing& timing, base::Rng& rng, BroadcastQueue& news,
                       base::Time now)
    : self_(std::move(self)),
      timing_(timing),
      news_(news),
      members_(self_->name, rng),
      awareness_(timing.awareness_max),
      next_reap_(now + kReapInterval) {
  members_.add({.node = self_,
                .incarnation = incarnation_,
                .state = NodeState::alive,
                .viaduct = true,
                .changed = now});
  announce(self_->name, Alive{incarnation_, self_});
}

const Suspicion* Membership::suspicion(MemberId id) const {
  const auto found = suspicions_.find(id);
  return found == suspicions_.end() ? nullptr : &found->second;
}

void Membership::announce(std::string_view name, Message message) {
  if (quiet_ && name != self_->name) return;
  const std::size_t bytes = encoded_octets(message);
  news_.put(name_hash(name), std::make_shared<const Message>(std::move(message)), bytes);
}

void Membership::on_alive(const Alive& alive, base::Time now, Actions& out) {
  const NodeInfo& node = *alive.node;
  if (node.name == self_->name) {
    const bool mine = node == *self_;
    if (alive.incarnation < incarnation_ || (alive.incarnation == incarnation_ && mine)) return;
    if (node.endpoint != self_->endpoint) {
      ++counters_.conflicts;
      out.conflicts.push_back(NameConflict{self_, alive.node});
    }
    return accuse(alive.incarnation, now);
  }
  const auto known = members_.find(node.name);
  if (!known) {
    if (!may_enter(alive)) return;
    gone_.erase(node.name);
    const MemberId id = members_.add({.node = alive.node,
                                      .incarnation = alive.incarnation,
                                      .state = NodeState::dead,
                                      .viaduct = is_viaduct(node.meta),
                                      .changed = now});
    return accept(id, alive, now, out);
  }
  const Member& member = members_[*known];
  // Also of one that moved: a restarted node learns from its first push-pull what to outdo.
  if (alive.incarnation <= member.incarnation ||
      !is_plausible(alive.incarnation, member.incarnation))
    return;
  if (member.node->endpoint != node.endpoint) {
    const bool free =
        member.state == NodeState::left ||
        (member.state == NodeState::dead && now - member.changed >= timing_.reclaim_after);
    if (!free) {
      ++counters_.conflicts;
      out.conflicts.push_back(NameConflict{member.node, alive.node});
      return;
    }
  }
  const bool same_versions = is_live(member.state) && member.node->versions == node.versions;
  if (!is_usable(node)) return;
  if (!same_versions &&
      (!has_usable_versions(node.versions) || !members_.compatible(node.versions))) {
    ++counters_.incompatible;
    return;
  }
  accept(*known, alive, now, out);
}

/// Whether somebody who is no member may become one.
bool Membership::may_enter(const Alive& alive) {
  const NodeInfo& node = *alive.node;
  if (alive.incarnation == 0 || alive.incarnation > kMaxIncarnation) {
    ++counters_.invalid;
    return false;
  }
  if (!is_usable(node)) return false;
  // News from before its end must not bring it back.
  if (const auto gone = gone_.find(node.name);
      gone != gone_.end() && alive.incarnation <= gone->second.incarnation)
    return false;
  if (!has_usable_versions(node.versions) || !members_.compatible(node.versions)) {
    ++counters_.incompatible;
    return false;
  }
  if (members_.size() >= kMaxMembers) {
    ++counters_.too_many;
    return false;
  }
  return true;
}

bool Membership::is_usable(const NodeInfo& node) {
  const base::Address& address = node.endpoint.address;
  const bool usable = node.endpoint.port != 0 && !address.is_unspecified() &&
                      !address.is_multicast() && !address.is_broadcast() && !node.name.empty() &&
                      node.name.size() <= kMaxNameOctets && node.meta.size() <= kMaxMetaOctets;
  if (!usable) ++counters_.invalid;
  return usable;
}

/// Whether an incarnation can follow the one that is known.
bool Membership::is_plausible(Incarnation said, Incarnation known) {
  const bool plausible = said <= known || said - known <= kMaxIncarnationJump;
  if (!plausible) ++counters_.invalid;
  return plausible;
}

void Membership::accept(MemberId id, const Alive& alive, base::Time now, Actions& out) {
  const bool was_alive = members_[id].state == NodeState::alive;
  const bool said_anew = !(*members_[id].node == *alive.node);
  drop_suspicion(id);
  members_.update(id, said_anew ? alive.node : members_[id].node, alive.incarnation,
                  is_viaduct(alive.node->meta));
  members_.set_state(id, NodeState::alive, now);
  announce(alive.node->name, alive);
  if (!was_alive || said_anew)
    out.changes.push_back(
        MemberChanged{members_[id].node, NodeState::alive, alive.incarnation, ""});
}

void Membership::on_suspect(const Suspect& suspect, base::Time now, Actions& out) {
  if (suspect.node == self_->name) {
    if (suspect.incarnation >= incarnation_) accuse(suspect.incarnation, now);
    return;
  }
  const auto id = members_.find(suspect.node);
  if (!id || suspect.incarnation < members_[*id].incarnation ||
      !is_plausible(suspect.incarnation, members_[*id].incarnation))
    return;
  if (const auto doubt = suspicions_.find(*id); doubt != suspicions_.end()) {
    const base::Time before = doubt->second.deadline();
    if (!doubt->second.confirm(suspect.from)) return;
    deadlines_.erase({before, *id});
    deadlines_.emplace(doubt->second.deadline(), *id);
    return announce(suspect.node, suspect);
  }
  if (members_[*id].state == NodeState::alive) start_suspicion(*id, suspect, now, out);
}

void Membership::start_suspicion(MemberId id, const Suspect& suspect, base::Time now,
                                 Actions& out) {
  ++counters_.suspected;
  members_.set_incarnation(id, suspect.incarnation);
  members_.set_state(id, NodeState::suspect, now);
  // Only nodes that live can confirm. This node and the suspect are not among them.
  const std::size_t live = members_.live();
  Suspicion::Limits limits;
  limits.expected = static_cast<std::size_t>(std::max(0, timing_.suspicion_mult - kFirstAccusers));
  if (live < limits.expected + kFirstAccusers) limits.expected = 0;
  limits.min = suspicion_min(timing_.suspicion_mult, live, timing_.probe_interval);
  limits.max = limits.min * timing_.suspicion_max_mult;
  const auto [doubt, begun] = suspicions_.emplace(id, Suspicion(suspect.from, limits, now));
  deadlines_.emplace(doubt->second.deadline(), id);
  announce(suspect.node, suspect);
  out.changes.push_back(MemberChanged{
      members_[id].node, NodeState::suspect, suspect.incarnation,
      suspect.from == self_->name ? "no answer to probes" : "suspected by " + suspect.from});
}

void Membership::heard(std::string_view name, base::Time now) {
  if (const auto id = members_.find(name)) members_.set_heard(*id, now);
}

void Membership::suspect(MemberId id, base::Time now, Actions& out) {
  const Member& member = members_[id];
  on_suspect({member.incarnation, member.node->name, self_->name}, now, out);
}

void Membership::drop_suspicion(MemberId id) {
  const auto doubt = suspicions_.find(id);
  if (doubt == suspicions_.end()) return;
  deadlines_.erase({doubt->second.deadline(), id});
  suspicions_.erase(doubt);
}

void Membership::on_dead(const Dead& dead, base::Time now, Actions& out) {
  if (dead.node == self_->name) {
    if (!leaving_ && dead.incarnation >= incarnation_) accuse(dead.incarnation, now);
    return;
  }
  const NodeState state = dead.from == dead.node ? NodeState::left : NodeState::dead;
  const auto id = members_.find(dead.node);
  if (!id) return on_end_of_gone(dead, state);
  const Member& member = members_[*id];
  // Somebody who was held for dead may be said to have left: an operator removes it.
  const bool news =
      is_live(member.state) || (member.state == NodeState::dead && state == NodeState::left);
  if (dead.incarnation < member.incarnation || !news ||
      !is_plausible(dead.incarnation, member.incarnation))
    return;
  if (state == NodeState::dead) ++counters_.died;
  drop_suspicion(*id);
  members_.set_incarnation(*id, dead.incarnation);
  members_.set_state(*id, state, now);
  announce(dead.node, dead);
  out.changes.push_back(MemberChanged{
      member.node, state, dead.incarnation,
      state == NodeState::left ? "it left, or was removed" : "declared dead by " + dead.from});
}

/// A node that nobody sees any more need not be dialled once it is said to have left.
void Membership::on_end_of_gone(const Dead& dead, NodeState state) {
  const auto gone = gone_.find(dead.node);
  if (gone == gone_.end() || dead.incarnation < gone->second.incarnation ||
      gone->second.state == NodeState::left || state != NodeState::left)
    return;
  gone->second.state = NodeState::left;
  ++ended_;
  announce(dead.node, dead);
}

void Membership::accuse(Incarnation accused, base::Time now) {
  if (leaving_ || !is_plausible(accused, incarnation_)) return;
  accused_ = std::max(accused, accused_.value_or(0));
  if (now >= refutation_due()) refute(now);
}

base::Time Membership::refutation_due() const {
  return next_refutation_ - kRefutationInterval * (kRefutationBurst - 1);
}

void Membership::refute(base::Time now) {
  incarnation_ = std::max(incarnation_, *accused_) + 1;
  accused_.reset();
  next_refutation_ = std::max(next_refutation_, now) + kRefutationInterval;
  ++counters_.refuted;
  awareness_.add(1);
  const auto id = members_.find(self_->name);
  members_.set_incarnation(*id, incarnation_);
  announce(self_->name, Alive{incarnation_, self_});
}

void Membership::update_self(NodeInfoPtr self) {
  self_ = std::move(self);
  if (!leaving_) ++incarnation_;
  members_.update(*members_.find(self_->name), self_, incarnation_, true);
  if (leaving_) return;
  announce(self_->name, Alive{incarnation_, self_});
}

void Membership::leave(base::Time now) {
  if (leaving_) return;
  leaving_ = true;
  // Whoever believes an accusation would not believe in an older end.
  incarnation_ = std::max(incarnation_, accused_.value_or(0));
  accused_.reset();
  const MemberId id = *members_.find(self_->name);
  members_.set_incarnation(id, incarnation_);
  members_.set_state(id, NodeState::left, now);
  announce(self_->name, Dead{incarnation_, self_->name, self_->name});
}

bool Membership::force_remove(std::string_view name, base::Time now, Actions& out) {
  if (name == self_->name) return false;
  const std::string owned(name);
  if (const auto id = members_.find(name)) {
    on_dead({members_[*id].incarnation, owned, owned}, now, out);
    return true;
  }
  const auto gone = gone_.find(name);
  if (gone == gone_.end()) return false;
  on_dead({gone->second.incarnation, owned, owned}, now, out);
  return true;
}

void Membership::on_tick(base::Time now, Actions& out) {
  if (accused_ && now >= refutation_due()) refute(now);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const MemberId id = deadlines_.begin()->second;
    const Member& member = members_[id];
    on_dead({member.incarnation, member.node->name, self_->name}, now, out);
  }
  if (now >= next_reap_) reap(now);
}

base::Time Membership::next_tick() const {
  base::Time next = next_reap_;
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  if (accused_) next = std::min(next, refutation_due());
  return next;
}

/// Members that ended long ago go into gone_, which is bounded as well.
void Membership::reap(base::Time now) {
  next_reap_ = now + kReapInterval;
  if (members_.live() == members_.size()) return;
  std::vector<MemberId> ended;
  for (const MemberId id : members_.ids())
    if (!is_live(members_[id].state) && members_[id].node != self_ &&
        now - members_[id].changed >= timing_.gossip_to_dead)
      ended.push_back(id);
  for (const MemberId id : ended) {
    const Member& member = members_[id];
    gone_[member.node->name] = {member.node, member.incarnation, member.state, now};
    members_.remove(id);
    if (gone_.size() > kMaxMembers) forget_oldest();
  }
}

void Membership::forget_oldest() {
  gone_.erase(std::min_element(gone_.begin(), gone_.end(), [](const auto& left, const auto& right) {
    return left.second.since < right.second.since;
  }));
}

}  // namespace viaduct::gossip
