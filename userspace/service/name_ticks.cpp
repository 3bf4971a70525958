#include "service/name_ticks.h"

#include <algorithm>
#include <cassert>

namespace viaduct::service {
namespace {

template <class Counts>
auto place_of(Counts& counts, Tick tick) {
  return std::lower_bound(counts.begin(), counts.end(), tick,
                          [](const auto& count, Tick wanted) { return count.first < wanted; });
}

}  // namespace

void NameTicks::add(const std::string& name, Tick tick) {
  Counts& counts = ticks_[name];
  const auto place = place_of(counts, tick);
  if (place != counts.end() && place->first == tick)
    place->second++;
  else
    counts.insert(place, {tick, 1});
  largest_ = std::max(largest_, tick);
}

void NameTicks::remove(const std::string& name, Tick tick) {
  const auto known = ticks_.find(name);
  assert(known != ticks_.end());
  if (known == ticks_.end()) return;
  Counts& counts = known->second;
  const auto place = place_of(counts, tick);
  assert(place != counts.end() && place->first == tick);
  if (place == counts.end() || place->first != tick) return;
  if (--place->second == 0) counts.erase(place);
  if (counts.empty()) ticks_.erase(known);
}

Tick NameTicks::of(const std::string& name) const {
  const auto known = ticks_.find(name);
  return known == ticks_.end() ? kNoTick : known->second.front().first;
}

}  // namespace viaduct::service
