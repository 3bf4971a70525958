#pragma once

#include "base/time.h"

namespace viaduct::mesos {

enum class PollOutcome { changed, unchanged, failed };

/// When to ask next: soon while things change, later and later while they do not.
class PollSchedule {
 public:
  PollSchedule(base::Duration min, base::Duration max) : min_(min), max_(max), wait_(min) {}

  /// @param random  in [0, 1): spreads agents that started together; moves the wait by up to a
  /// tenth.
  /// @return `min` after a change; half as long again as before when nothing changed; twice as long
  /// after a second failure in a row; never more than `max`, the random part aside.
  base::Duration next(PollOutcome outcome, double random);

 private:
  base::Duration min_;
  base::Duration max_;
  base::Duration wait_;
  bool failing_ = false;
};

}  // namespace viaduct::mesos
