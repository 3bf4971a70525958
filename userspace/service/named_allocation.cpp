#include "service/named_allocation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace viaduct::service {
namespace {

base::Address next(const base::Address& address) {
  std::array<std::uint8_t, 16> octets = address.mapped();
  for (std::size_t i = octets.size(); i-- > 0;)
    if (++octets[i] != 0) break;
  return base::Address::v6(octets);
}

}  // namespace

NamedAllocation::NamedAllocation(const base::Address& min, const base::Address& max,
                                 FirstCandidate first)
    : min_(min), max_(max), first_(std::move(first)) {}

void NamedAllocation::add(const std::string& name) {
  const auto [entry, added] = order_.try_emplace({first_(name), name});
  if (!added) return;
  entry->second = place(entry);
  moved_.insert(name);
  place_from(std::next(entry));
}

void NamedAllocation::remove(const std::string& name) {
  const auto entry = order_.find({first_(name), name});
  if (entry == order_.end()) return;
  moved_.insert(name);
  place_from(order_.erase(entry));
}

void NamedAllocation::take(const base::Address& address) {
  if (taken_.insert(address).second) place_from(first_behind(address));
}

void NamedAllocation::release(const base::Address& address) {
  if (taken_.erase(address) > 0) place_from(first_behind(address));
}

std::optional<base::Address> NamedAllocation::find(const std::string& name) const {
  const auto entry = order_.find({first_(name), name});
  if (entry == order_.end()) return std::nullopt;
  if (entry->second) return entry->second;
  const auto found = wrapped_.find(name);
  return found == wrapped_.end() ? std::nullopt : std::optional(found->second);
}

/// @return absent when everything from `from` to the end of the range is taken.
std::optional<base::Address> NamedAllocation::first_free(const base::Address& from) const {
  base::Address free = from;
  for (auto taken = taken_.lower_bound(from); taken != taken_.end() && *taken == free; ++taken) {
    if (free == max_) return std::nullopt;
    free = next(free);
  }
  return free;
}

std::optional<base::Address> NamedAllocation::place(Order::const_iterator name) const {
  const base::Address& wish = name->first.first;
  if (name == order_.begin()) return first_free(wish);
  const auto& before = std::prev(name)->second;
  if (!before || *before == max_) return std::nullopt;
  return first_free(std::max(wish, next(*before)));
}

void NamedAllocation::place_from(Order::iterator name) {
  for (; name != order_.end(); ++name) {
    const auto placed = place(name);
    if (placed == name->second) return;
    name->second = placed;
    moved_.insert(name->first.second);
  }
}

NamedAllocation::Order::iterator NamedAllocation::first_behind(const base::Address& address) {
  auto name = address == max_ ? order_.end() : order_.lower_bound({next(address), ""});
  while (name != order_.begin()) {
    const auto before = std::prev(name);
    if (before->second && *before->second < address) break;
    name = before;
  }
  return name;
}

void NamedAllocation::place_wrapped() {
  auto first = order_.end();
  while (first != order_.begin() && !std::prev(first)->second) --first;
  if (first == order_.end() && wrapped_.empty()) return;
  std::map<std::string, base::Address> placed;
  auto held = order_.begin();  // the rest of the names whose addresses are ahead
  std::optional<base::Address> free = first_free(min_);
  for (; first != order_.end() && free; ++first) {
    while (free && held != order_.end() && held->second && *held->second <= *free) {
      if (*held->second == *free) free = *free == max_ ? std::nullopt : first_free(next(*free));
      ++held;
    }
    if (!free) break;
    placed.emplace(first->first.second, *free);
    free = *free == max_ ? std::nullopt : first_free(next(*free));
  }
  for (const auto* names : {&wrapped_, &placed})
    for (const auto& [name, address] : *names) {
      const auto& other = names == &wrapped_ ? placed : wrapped_;
      const auto found = other.find(name);
      if (found == other.end() || found->second != address) moved_.insert(name);
    }
  wrapped_ = std::move(placed);
}

std::set<std::string> NamedAllocation::settle() {
  place_wrapped();
  return std::exchange(moved_, {});
}

}  // namespace viaduct::service
