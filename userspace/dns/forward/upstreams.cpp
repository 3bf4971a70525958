#include "dns/forward/upstreams.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace viaduct::dns::forward {
namespace {

using namespace std::chrono_literals;
using base::Duration;
using base::Time;

constexpr double kMostFailures = 8;
constexpr double kDownFailures = 1;
constexpr double kAnyFailure = 0.1;
constexpr double kLateFailure = 0.3;
constexpr double kUnknownSeconds = 0.2;
// What is left of the failures when an answer comes: two answers clear what one time-out did.
constexpr double kForgiven = 0.25;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

double Upstreams::failures(std::size_t upstream, Time now) const {
  const State& state = all_[upstream];
  if (state.failures == 0) return 0;
  const double halves = seconds(now - state.failures_at) / seconds(kFailureHalfLife);
  return state.failures * std::exp2(-std::max(0.0, halves));
}

double Upstreams::cost(std::size_t upstream, Time now) const {
  const State& state = all_[upstream];
  return (state.known ? seconds(state.srtt) : kUnknownSeconds) + failures(upstream, now);
}

std::vector<std::size_t> Upstreams::order(std::span<const std::size_t> route, Time now) const {
  std::vector<std::pair<double, std::size_t>> costs;
  costs.reserve(route.size());
  for (const std::size_t upstream : route)
    if (!is_aside(upstream, now)) costs.emplace_back(cost(upstream, now), upstream);
  std::stable_sort(costs.begin(), costs.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::size_t> best;
  best.reserve(costs.size());
  for (const auto& [unused, upstream] : costs) best.push_back(upstream);
  return best;
}

void Upstreams::sent(std::size_t upstream, Time now) { all_[upstream].sent_at = now; }

void Upstreams::answered(std::size_t upstream, Duration round_trip, Time now) {
  State& state = all_[upstream];
  if (!state.known) {
    state.srtt = round_trip;
    state.variance = round_trip / 2;
    state.known = true;
  } else {
    const Duration off =
        round_trip > state.srtt ? round_trip - state.srtt : state.srtt - round_trip;
    state.variance = (3 * state.variance + off) / 4;
    state.srtt = (7 * state.srtt + round_trip) / 8;
  }
  state.failures = failures(upstream, now) * kForgiven;
  if (state.failures < kAnyFailure) state.failures = 0;
  state.failures_at = now;
  state.answered_last = true;
}

void Upstreams::failed(std::size_t upstream, Time now) { add_failure(upstream, 1, now); }
void Upstreams::late(std::size_t upstream, Time now) { add_failure(upstream, kLateFailure, now); }

void Upstreams::add_failure(std::size_t upstream, double weight, Time now) {
  State& state = all_[upstream];
  state.failures = std::min(kMostFailures, failures(upstream, now) + weight);
  state.failures_at = now;
  state.answered_last = false;
}

bool Upstreams::probe_due(std::size_t upstream, Time now) const {
  const Duration interval = failures(upstream, now) > kAnyFailure ? kProbeFailed : kProbeSlower;
  return now - all_[upstream].sent_at >= interval;
}

bool Upstreams::is_down(std::size_t upstream, Time now) const {
  return !all_[upstream].answered_last && failures(upstream, now) >= kDownFailures;
}

Duration Upstreams::patience(std::size_t upstream) const {
  const State& state = all_[upstream];
  if (!state.known) return 400ms;
  return std::clamp<Duration>(state.srtt + 4 * state.variance, 150ms, 800ms);
}

Duration Upstreams::hedge_delay(std::size_t upstream) const {
  const State& state = all_[upstream];
  if (!state.known) return 10ms;
  return std::clamp<Duration>(state.srtt + 2 * state.variance, 10ms, 50ms);
}

void Upstreams::lacks_edns(std::size_t upstream, Time now) {
  all_[upstream].edns_again = now + kInability;
}
void Upstreams::changes_case(std::size_t upstream, Time now) {
  all_[upstream].case_again = now + kInability;
}
bool Upstreams::has_edns(std::size_t upstream, Time now) const {
  return now >= all_[upstream].edns_again;
}
bool Upstreams::keeps_case(std::size_t upstream, Time now) const {
  return now >= all_[upstream].case_again;
}

void Upstreams::set_aside(std::size_t upstream, Time now) {
  all_[upstream].aside_until = now + kSetAside;
}
bool Upstreams::is_aside(std::size_t upstream, Time now) const {
  return now < all_[upstream].aside_until;
}

}  // namespace viaduct::dns::forward
