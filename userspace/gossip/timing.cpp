#include "gossip/timing.h"

#include <algorithm>
#include <cmath>

namespace viaduct::gossip {
namespace {

constexpr std::size_t kPushPullScaleFrom = 32;

base::Duration scaled(base::Duration duration, double factor) {
  return std::chrono::duration_cast<base::Duration>(duration * factor);
}

}  // namespace

int retransmit_limit(int mult, std::size_t members) {
  return mult * static_cast<int>(std::ceil(std::log10(static_cast<double>(members) + 1)));
}

base::Duration push_pull_interval(base::Duration interval, std::size_t members) {
  if (members <= kPushPullScaleFrom) return interval;
  const double from = std::log2(static_cast<double>(kPushPullScaleFrom));
  return scaled(interval, std::ceil(std::log2(static_cast<double>(members)) - from) + 1);
}

base::Duration suspicion_min(int mult, std::size_t members, base::Duration probe_interval) {
  const double scale = std::max(1.0, std::log10(std::max(1.0, static_cast<double>(members))));
  return scaled(probe_interval, mult * scale);
}

}  // namespace viaduct::gossip
