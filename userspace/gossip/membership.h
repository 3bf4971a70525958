#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "gossip/action.h"
#include "gossip/awareness.h"
#include "gossip/broadcast_queue.h"
#include "gossip/limits.h"
#include "gossip/member_list.h"
#include "gossip/message.h"
#include "gossip/suspicion.h"
#include "gossip/timing.h"

namespace viaduct::gossip {

/// A node that is no longer in the member list. What is said of it may be older than its end.
struct Gone {
  NodeInfoPtr node;
  Incarnation incarnation = 0;
  NodeState state = NodeState::dead;  ///< dead or left
  base::Time since{};
};

/// What of the news was of no use, and why.
struct MembershipCounters {
  std::uint64_t incompatible = 0;  ///< alive messages whose versions the cluster cannot speak
  std::uint64_t invalid = 0;       ///< what no node would say: addresses, incarnations
  std::uint64_t conflicts = 0;     ///< a known name with another address
  std::uint64_t too_many = 0;      ///< members over kMaxMembers
  std::uint64_t refuted = 0;       ///< times that this node denied its death
  std::uint64_t suspected = 0;     ///< suspicions begun, by anybody
  std::uint64_t died = 0;          ///< members that were declared dead
};

/// Who is a member, and who of them lives: SWIM's rules with Lifeguard's suspicion.
/// What differs from HashiCorp's memberlist is listed in README.md.
class Membership {
 public:
  /// @param self  this node as others shall know it.
  /// @param news  takes what others must hear.
  Membership(NodeInfoPtr self, const Timing& timing, base::Rng& rng, BroadcastQueue& news,
             base::Time now);

  const MemberList& members() const { return members_; }
  std::optional<MemberId> next_probe() { return members_.next_probe(); }
  template <class Fits>
  std::vector<MemberId> pick(std::size_t count, Fits&& fits) {
    return members_.pick(count, std::forward<Fits>(fits));
  }
  const NodeInfoPtr& self() const { return self_; }
  Incarnation incarnation() const { return incarnation_; }
  Awareness& awareness() { return awareness_; }
  const Awareness& awareness() const { return awareness_; }
  const MembershipCounters& counters() const { return counters_; }
  const std::map<std::string, Gone, std::less<>>& gone() const { return gone_; }
  /// Grows when members() or gone() change in who they hold, or for what.
  std::uint64_t revision() const { return members_.revision() + ended_; }
  /// The doubt about a member; null: none.
  const Suspicion* suspicion(MemberId id) const;
  bool leaving() const { return leaving_; }

  void on_alive(const Alive& alive, base::Time now, Actions& out);
  void on_suspect(const Suspect& suspect, base::Time now, Actions& out);
  void on_dead(const Dead& dead, base::Time now, Actions& out);

  /// All members for a push-pull.
  /// @param remote  what the other side said, if it spoke first: it hears of the ends that it
  ///   missed.
  PushPull state(bool join, const PushPull* remote) const;
  /// Takes the other side's members. A node that knew nobody has learnt nothing that is news to
  /// others.
  void merge(const PushPull& remote, base::Time now, Actions& out);

  /// A member answered this node.
  void heard(std::string_view name, base::Time now);
  /// This node's own probe of a member failed.
  void suspect(MemberId id, base::Time now, Actions& out);

  /// Tells all that this node goes.
  void leave(base::Time now);
  /// Declares that a member has left.
  /// @return whether there was one of this name.
  bool force_remove(std::string_view name, base::Time now, Actions& out);

  /// Meta changed, for instance.
  void update_self(NodeInfoPtr self);

  /// Suspicions that have become death, and members to forget.
  void on_tick(base::Time now, Actions& out);
  /// When on_tick() has something to do.
  base::Time next_tick() const;

 private:
  void accept(MemberId id, const Alive& alive, base::Time now, Actions& out);
  bool may_enter(const Alive& alive);
  bool is_usable(const NodeInfo& node);
  bool is_plausible(Incarnation said, Incarnation known);
  void start_suspicion(MemberId id, const Suspect& suspect, base::Time now, Actions& out);
  bool doubt(const Suspect& suspect, base::Time now, Actions& out);
  std::optional<Suspect> outlived(const MemberState& member) const;
  static void tell(Suspect suspect, const base::Endpoint& endpoint, Actions& out);
  void drop_suspicion(MemberId id);
  void accuse(Incarnation accused, base::Time now);
  base::Time refutation_due() const;
  void refute(base::Time now);
  void on_end_of_gone(const Dead& dead, NodeState state);
  void announce(std::string_view name, Message message);
  void reap(base::Time now);
  void forget_oldest();

  NodeInfoPtr self_;
  const Timing& timing_;
  BroadcastQueue& news_;
  MemberList members_;
  Awareness awareness_;
  Incarnation incarnation_ = 1;
  bool leaving_ = false;
  bool quiet_ = false;                  ///< what is learnt now is no news to others
  std::optional<Incarnation> accused_;  ///< an accusation that waits for its refutation
  base::Time next_refutation_{};        ///< refutations come in bursts, but not without end
  std::unordered_map<MemberId, Suspicion> suspicions_;
  std::set<std::pair<base::Time, MemberId>> deadlines_;  ///< of suspicions_
  std::map<std::string, Gone, std::less<>> gone_;
  std::uint64_t ended_ = 0;  ///< changes of gone_ that members_ does not see
  base::Time next_reap_;
  MembershipCounters counters_;
};

}  // namespace viaduct::gossip
