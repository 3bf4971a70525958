#pragma once

#include "base/time.h"

namespace viaduct::mesos {

/// How long to wait before the next try: longer and longer, and by chance, so that many nodes that
/// lost one master do not come back together.
/// Source: M. Brooker, Exponential Backoff And Jitter ("decorrelated").
class BackOff {
 public:
  /// @param min  above zero, not above `max`.
  BackOff(base::Duration min, base::Duration max) : min_(min), max_(max), last_(min) {}

  /// @param random  in [0, 1).
  /// @param most  no longer than this, where it is soon worth another try; not below `min`.
  /// @return between `min` and three times the wait before, never above `max` or `most`.
  base::Duration next(double random, base::Duration most = base::Duration::max());
  /// All is well: the next wait is a short one.
  void reset() { last_ = min_; }

 private:
  base::Duration min_;
  base::Duration max_;
  base::Duration last_;
};

}  // namespace viaduct::mesos
