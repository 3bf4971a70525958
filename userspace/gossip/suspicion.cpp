#include "gossip/suspicion.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace viaduct::gossip {

base::Duration suspicion_left(std::size_t confirmations, std::size_t expected,
                              base::Duration elapsed, base::Duration min, base::Duration max) {
  base::Duration total = min;
  if (expected > 0) {
    const double share = std::log(static_cast<double>(confirmations) + 1) /
                         std::log(static_cast<double>(expected) + 1);
    const auto fallen = std::chrono::duration_cast<base::Duration>((max - min) * share);
    total = std::max(min, max - fallen);
  }
  return std::max(base::Duration::zero(), total - elapsed);
}

Suspicion::Suspicion(std::string from, Limits limits, base::Time now)
    : accusers_{std::move(from)}, limits_(limits), since_(now) {}

bool Suspicion::confirm(const std::string& from) {
  if (confirmations() >= limits_.expected) return false;
  if (std::find(accusers_.begin(), accusers_.end(), from) != accusers_.end()) return false;
  accusers_.push_back(from);
  return true;
}

base::Time Suspicion::deadline() const {
  return since_ + suspicion_left(confirmations(), limits_.expected, base::Duration::zero(),
                                 limits_.min, limits_.max);
}

}  // namespace viaduct::gossip
