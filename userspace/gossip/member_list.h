#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "gossip/message.h"

namespace viaduct::gossip {

/// What one node knows of another.
struct Member {
  NodeInfoPtr node;
  Incarnation incarnation = 0;
  NodeState state = NodeState::dead;
  bool viaduct = false;     ///< understands our own messages
  base::Time changed{};     ///< when `state` became what it is
  base::Time heard{};       ///< when it answered this node last; Time{}: never
  std::uint64_t place = 0;  ///< in the ring, by its name
};

/// Alive or only doubted: it may well answer.
inline bool is_live(NodeState state) {
  return state == NodeState::alive || state == NodeState::suspect;
}

/// One that knows memberlist's messages, but not ours.
inline bool is_live_serf(const Member& member) { return !member.viaduct && is_live(member.state); }

/// A 64-bit hash of a name: the same on every node.
std::uint64_t name_hash(std::string_view name);

/// Names a member for as long as it is in the list.
using MemberId = std::uint32_t;

/// The members that a node knows, itself included, with the orders in which they are chosen.
class MemberList {
 public:
  /// @param self  this node's name: never probed.
  MemberList(std::string_view self, base::Rng& rng);

  std::optional<MemberId> find(std::string_view name) const;
  const Member& operator[](MemberId id) const { return slots_[id]; }

  /// Adds one at a random place of the probe order; its name is new.
  MemberId add(Member member);
  void update(MemberId id, NodeInfoPtr node, Incarnation incarnation, bool viaduct);
  void set_incarnation(MemberId id, Incarnation incarnation);
  void set_state(MemberId id, NodeState state, base::Time now);
  void set_heard(MemberId id, base::Time now) { slots_[id].heard = now; }
  void remove(MemberId id);

  /// In no particular order.
  std::span<const MemberId> ids() const { return order_; }
  std::size_t size() const { return order_.size(); }
  std::size_t count(NodeState state) const { return counts_[static_cast<std::size_t>(state)]; }
  /// Grows when somebody comes, goes, or changes state or address.
  std::uint64_t revision() const { return revision_; }
  /// Alive and suspect, self included.
  std::size_t live() const { return count(NodeState::alive) + count(NodeState::suspect); }

  /// Whether a node with these versions can talk to all live members, and they to it.
  /// Source: the arithmetic of memberlist's verifyProtocol.
  bool compatible(const Versions& versions) const;

  /// Whom to probe next: turn by turn the two live members that follow this node in the ring of
  /// all names, and the next one of a shuffled list of all. The ring sees to it that each member
  /// is probed by somebody in 1.5 intervals at most, and the list that each one is by everybody.
  /// @return absent: there is nobody.
  std::optional<MemberId> next_probe();

  /// Up to `count` different members for which `fits(member)`, at random.
  template <class Fits>
  std::vector<MemberId> pick(std::size_t count, Fits&& fits) {
    std::vector<MemberId> picked;
    if (order_.empty()) return picked;
    // A few random tries find them if most fit; else all are looked at from a random one on.
    for (std::size_t tries = 0; tries < 4 * count && picked.size() < count; ++tries)
      consider(order_[rng_.below(order_.size())], picked, fits);
    const std::size_t from = rng_.below(order_.size());
    for (std::size_t i = 0; i < order_.size() && picked.size() < count; ++i)
      consider(order_[(from + i) % order_.size()], picked, fits);
    return picked;
  }

 private:
  static constexpr std::size_t kSuccessors = 2;
  /// Open addressing by name; what most look-ups need stands in one place.
  struct Bucket {
    MemberId id;
    std::uint32_t tag;  ///< the upper half of the name's hash
  };

  template <class Fits>
  void consider(MemberId id, std::vector<MemberId>& picked, Fits& fits) const {
    if (std::find(picked.begin(), picked.end(), id) == picked.end() && fits(slots_[id]))
      picked.push_back(id);
  }

  std::size_t bucket_of(std::string_view name, std::uint64_t hash) const;
  void index(MemberId id);
  void count_versions(const Member& member, int by);
  void find_successors();
  std::optional<MemberId> next_of_list();

  base::Rng& rng_;
  std::string self_;
  std::uint64_t self_place_;
  std::vector<Member> slots_;
  std::vector<MemberId> free_;
  std::vector<Bucket> buckets_;
  std::vector<MemberId> order_;        ///< all ids; the probe order is shuffled when it wraps
  std::vector<std::uint32_t> places_;  ///< id -> its index in order_
  std::array<std::size_t, 4> counts_{};
  std::vector<std::pair<Versions, std::size_t>> versions_;  ///< of live members
  std::uint64_t revision_ = 0;
  std::size_t next_ = 0;
  unsigned turn_ = 0;
  std::uint64_t ring_revision_ = ~std::uint64_t{0};  ///< that successors_ are of
  std::vector<MemberId> successors_;
};

}  // namespace viaduct::gossip
