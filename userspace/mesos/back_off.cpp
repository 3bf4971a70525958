#include "mesos/back_off.h"

#include <algorithm>

namespace viaduct::mesos {

base::Duration BackOff::next(double random, base::Duration most) {
  const base::Duration limit = std::min(max_, std::max(min_, most));
  const base::Duration high = std::min(limit, last_ * 3);
  last_ = min_ + std::chrono::duration_cast<base::Duration>((high - min_) * random);
  return last_;
}

}  // namespace viaduct::mesos
