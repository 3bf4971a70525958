#include "gossip/member_list.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace viaduct::gossip {
namespace {

constexpr MemberId kNone = std::numeric_limits<MemberId>::max();
constexpr std::size_t kFewestBuckets = 16;

}  // namespace

/// FNV-1a with splitmix64's last step.
std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
  return hash ^ hash >> 31;
}

MemberList::MemberList(std::string_view self, base::Rng& rng)
    : rng_(rng), self_(self), self_place_(name_hash(self)), buckets_(kFewestBuckets, {kNone, 0}) {}

std::size_t MemberList::bucket_of(std::string_view name, std::uint64_t hash) const {
  const std::size_t mask = buckets_.size() - 1;
  const std::uint32_t tag = static_cast<std::uint32_t>(hash >> 32);
  std::size_t bucket = hash & mask;
  while (buckets_[bucket].id != kNone &&
         (buckets_[bucket].tag != tag || slots_[buckets_[bucket].id].node->name != name))
    bucket = (bucket + 1) & mask;
  return bucket;
}

std::optional<MemberId> MemberList::find(std::string_view name) const {
  const MemberId id = buckets_[bucket_of(name, name_hash(name))].id;
  if (id == kNone) return {};
  return id;
}

void MemberList::index(MemberId id) {
  const Member& member = slots_[id];
  buckets_[bucket_of(member.node->name, member.place)] = {
      id, static_cast<std::uint32_t>(member.place >> 32)};
}

MemberId MemberList::add(Member member) {
  assert(!find(member.node->name));
  member.place = name_hash(member.node->name);
  MemberId id = static_cast<MemberId>(slots_.size());
  if (!free_.empty()) {
    id = free_.back();
    free_.pop_back();
    slots_[id] = std::move(member);
  } else {
    slots_.push_back(std::move(member));
    places_.push_back(0);
  }
  if (2 * (order_.size() + 1) > buckets_.size()) {
    buckets_.assign(2 * buckets_.size(), {kNone, 0});
    for (const MemberId known : order_) index(known);
  }
  index(id);
  // At a random place: the one that was there goes to the end.
  order_.push_back(id);
  const std::size_t place = rng_.below(order_.size());
  std::swap(order_[place], order_.back());
  places_[order_.back()] = static_cast<std::uint32_t>(order_.size() - 1);
  places_[id] = static_cast<std::uint32_t>(place);
  ++counts_[static_cast<std::size_t>(slots_[id].state)];
  if (is_live(slots_[id].state)) count_versions(slots_[id], 1);
  ++revision_;
  return id;
}

void MemberList::update(MemberId id, NodeInfoPtr node, Incarnation incarnation, bool viaduct) {
  Member& member = slots_[id];
  assert(member.node->name == node->name);
  if (is_live(member.state)) count_versions(member, -1);
  member.node = std::move(node);
  member.incarnation = incarnation;
  member.viaduct = viaduct;
  ++revision_;
  if (is_live(member.state)) count_versions(member, 1);
}

void MemberList::set_incarnation(MemberId id, Incarnation incarnation) {
  slots_[id].incarnation = incarnation;
}

void MemberList::set_state(MemberId id, NodeState state, base::Time now) {
  Member& member = slots_[id];
  if (member.state == state) return;
  if (is_live(member.state) != is_live(state)) count_versions(member, is_live(state) ? 1 : -1);
  --counts_[static_cast<std::size_t>(member.state)];
  ++counts_[static_cast<std::size_t>(state)];
  member.state = state;
  member.changed = now;
  ++revision_;
}

void MemberList::remove(MemberId id) {
  if (is_live(slots_[id].state)) count_versions(slots_[id], -1);
  --counts_[static_cast<std::size_t>(slots_[id].state)];
  // Those behind it in the row of buckets move up, so that they are still found.
  const std::size_t mask = buckets_.size() - 1;
  std::size_t bucket = bucket_of(slots_[id].node->name, slots_[id].place);
  buckets_[bucket].id = kNone;
  for (bucket = (bucket + 1) & mask; buckets_[bucket].id != kNone; bucket = (bucket + 1) & mask)
    index(std::exchange(buckets_[bucket].id, kNone));
  const std::uint32_t place = places_[id];
  order_[place] = order_.back();
  places_[order_[place]] = place;
  order_.pop_back();
  slots_[id] = {};
  free_.push_back(id);
  ++revision_;
}

void MemberList::count_versions(const Member& member, int by) {
  const Versions& versions = member.node->versions;
  const auto known = std::find_if(versions_.begin(), versions_.end(),
                                  [&](const auto& entry) { return entry.first == versions; });
  if (known == versions_.end()) {
    assert(by > 0);
    versions_.emplace_back(versions, 1);
  } else if (by > 0) {
    ++known->second;
  } else if (--known->second == 0) {
    versions_.erase(known);
  }
}

bool MemberList::compatible(const Versions& versions) const {
  Versions range = versions;
  const auto narrow = [&range](const Versions& other) {
    range.protocol_min = std::max(range.protocol_min, other.protocol_min);
    range.protocol_max = std::min(range.protocol_max, other.protocol_max);
    range.delegate_min = std::max(range.delegate_min, other.delegate_min);
    range.delegate_max = std::min(range.delegate_max, other.delegate_max);
  };
  const auto within = [&range](const Versions& other) {
    return range.protocol_min <= other.protocol && other.protocol <= range.protocol_max &&
           range.delegate_min <= other.delegate && other.delegate <= range.delegate_max;
  };
  for (const auto& [other, count] : versions_) narrow(other);
  if (!within(versions)) return false;
  return std::all_of(versions_.begin(), versions_.end(),
                     [&](const auto& entry) { return within(entry.first); });
}

void MemberList::find_successors() {
  ring_revision_ = revision_;
  successors_.clear();
  const auto distance = [this](MemberId id) { return slots_[id].place - self_place_; };
  const auto nearer = [&](MemberId left, MemberId right) {
    return distance(left) < distance(right);
  };
  for (const MemberId id : order_) {
    const Member& member = slots_[id];
    if (member.state != NodeState::alive || member.node->name == self_) continue;
    if (successors_.size() == kSuccessors && !nearer(id, successors_.back())) continue;
    successors_.insert(std::upper_bound(successors_.begin(), successors_.end(), id, nearer), id);
    if (successors_.size() > kSuccessors) successors_.pop_back();
  }
}

std::optional<MemberId> MemberList::next_of_list() {
  for (std::size_t tries = 0; tries <= order_.size(); ++tries) {
    if (next_ >= order_.size()) {
      next_ = 0;
      rng_.shuffle(order_);
      for (std::uint32_t place = 0; place < order_.size(); ++place) places_[order_[place]] = place;
    }
    if (order_.empty()) return {};
    const MemberId id = order_[next_++];
    if (is_live(slots_[id].state) && slots_[id].node->name != self_) return id;
  }
  return {};
}

std::optional<MemberId> MemberList::next_probe() {
  if (ring_revision_ != revision_) find_successors();
  const std::size_t turn = turn_++ % (kSuccessors + 1);
  if (turn < successors_.size()) return successors_[turn];
  return next_of_list();
}

}  // namespace viaduct::gossip
