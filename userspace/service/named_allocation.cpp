#include "service/named_allocation.h"

#include <tuple>

namespace viaduct::service {

NamedAllocation::NamedAllocation(const base::Address& min, const base::Address& max,
                                 FirstCandidate first)
    : min_(to_number(min)), last_(to_number(max) - min_), first_(std::move(first)) {}

bool NamedAllocation::ahead(const Name& one, const Name& other) {
  return std::tie(one.second.rank, one.first) < std::tie(other.second.rank, other.first);
}

/// Whether a name came by an address on the way to its own.
bool NamedAllocation::passed(const Name& name, Offset hole) const {
  const auto steps = [&](Offset to) {
    const Offset first = name.second.first;
    return to >= first ? to - first : last_ - first + 1 + to;
  };
  return !name.second.at || steps(hole) < steps(*name.second.at);
}

std::optional<NamedAllocation::Offset> NamedAllocation::offset_of(
    const base::Address& address) const {
  const Uint128 number = to_number(address);
  if (number < min_ || number - min_ > last_) return std::nullopt;
  return number - min_;
}

void NamedAllocation::add(const std::string& name, Tick tick) {
  const NameRank rank = rank_of(name, tick);
  if (const auto known = names_.find(name); known != names_.end()) {
    if (known->second.rank == rank) return;
    remove(name);
  }
  const Offset first = to_number(first_(name)) - min_;
  place(&*names_.emplace(name, Place{rank, first, std::nullopt}).first, first);
}

void NamedAllocation::remove(const std::string& name) {
  const auto known = names_.find(name);
  if (known == names_.end()) return;
  const auto hole = known->second.at;
  placeless_.erase(&*known);
  if (hole) holders_[*hole] = nullptr;  // until it is filled
  names_.erase(known);
  moved_.insert(name);
  if (hole) fill(*hole);
}

void NamedAllocation::take(const base::Address& address) {
  const auto offset = offset_of(address);
  if (!offset) return;
  Name* const before = std::exchange(holders_.try_emplace(*offset).first->second, nullptr);
  if (!before) return;
  if (next(*offset) == before->second.first) {
    before->second.at.reset();
    moved_.insert(before->first);
    placeless_.insert(before);
  } else {
    place(before, next(*offset));
  }
}

void NamedAllocation::release(const base::Address& address) {
  const auto offset = offset_of(address);
  if (!offset) return;
  const auto holder = holders_.find(*offset);
  if (holder != holders_.end() && !holder->second) fill(*offset);
}

std::optional<base::Address> NamedAllocation::find(const std::string& name) const {
  const auto known = names_.find(name);
  if (known == names_.end() || !known->second.at) return std::nullopt;
  return from_number(min_ + *known->second.at);
}

/// Finds a place for a name from its first candidate on, and for those who have to make room.
void NamedAllocation::place(Name* name, Offset at) {
  while (true) {
    const auto [holder, is_free] = holders_.try_emplace(at, name);
    if (is_free || (holder->second && ahead(*name, *holder->second))) {
      Name* const before = is_free ? nullptr : std::exchange(holder->second, name);
      name->second.at = at;
      moved_.insert(name->first);
      if (!before) return;
      name = before;  // what is ahead of `at` was taken by better ones before, and still is
    }
    at = next(at);
    if (at == name->second.first) break;
  }
  name->second.at.reset();
  moved_.insert(name->first);
  placeless_.insert(name);
}

/// Gives a place that nobody holds any more to the best name that went past it.
void NamedAllocation::fill(Offset hole) {
  while (true) {
    Name* best = placeless_.empty() ? nullptr : *placeless_.begin();
    for (Offset at = next(hole); at != hole; at = next(at)) {
      const auto holder = holders_.find(at);
      if (holder == holders_.end()) break;
      Name* const name = holder->second;
      if (name && passed(*name, hole) && (!best || ahead(*name, *best))) best = name;
    }
    if (!best) break;
    holders_[hole] = best;
    moved_.insert(best->first);
    const auto left = std::exchange(best->second.at, hole);
    if (!left) {
      placeless_.erase(best);
      return;
    }
    hole = *left;
  }
  holders_.erase(hole);
}

}  // namespace viaduct::service
