#include "mesos/poll_schedule.h"

#include <algorithm>

namespace viaduct::mesos {

base::Duration PollSchedule::next(PollOutcome outcome, double random) {
  const bool failed = outcome == PollOutcome::failed;
  if (outcome == PollOutcome::changed || failed != failing_)
    wait_ = min_;
  else
    wait_ = std::min(max_, failed ? wait_ * 2 : wait_ * 3 / 2);
  failing_ = failed;
  const double factor = 0.9 + 0.2 * random;
  return std::chrono::duration_cast<base::Duration>(wait_ * factor);
}

}  // namespace viaduct::mesos
