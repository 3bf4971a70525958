#pragma once

#include <algorithm>

#include "base/time.h"

namespace viaduct::gossip {

/// How much a node doubts itself: 0 is healthy. A slow node gives others more time instead of
/// accusing them.
/// Source: Lifeguard (arXiv:1707.00788), LHA-Probe.
class Awareness {
 public:
  /// @param max  the score stays below it.
  explicit Awareness(int max) : max_(max) {}

  void add(int delta) { score_ = std::clamp(score_ + delta, 0, max_ - 1); }
  int score() const { return score_; }
  base::Duration scale(base::Duration duration) const { return duration * (score_ + 1); }

 private:
  int max_;
  int score_ = 0;
};

}  // namespace viaduct::gossip
