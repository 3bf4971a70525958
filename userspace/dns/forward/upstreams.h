#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"

namespace viaduct::dns::forward {

/// Failures that weigh on an upstream halve in this time.
inline constexpr std::chrono::seconds kFailureHalfLife{15};
/// An upstream that is not among the best gets a client's question as well this often: one that
/// failed, so that its return is seen, and one that is only slower.
inline constexpr std::chrono::seconds kProbeFailed{1};
inline constexpr std::chrono::seconds kProbeSlower{10};
/// How long what an upstream cannot do (EDNS, letter case) is remembered.
inline constexpr std::chrono::minutes kInability{10};
/// How long an upstream that turned out to be ourselves is left alone before it is tried again.
inline constexpr std::chrono::seconds kSetAside{60};
/// How often it is asked whether upstreams lead back to us; less than kSetAside.
inline constexpr std::chrono::seconds kProbeLoops{30};

/// How well each upstream answers: smoothed round trips (RFC 6298) and failures that fade.
class Upstreams {
 public:
  explicit Upstreams(std::size_t count) : all_(count) {}

  /// The upstreams of a route that may be asked, the best first: by round trip, with a second for
  /// each failure that has not faded. Unknown ones count as 200 ms.
  std::vector<std::size_t> order(std::span<const std::size_t> route, base::Time now) const;

  void sent(std::size_t upstream, base::Time now);
  void answered(std::size_t upstream, base::Duration round_trip, base::Time now);
  /// No answer in time, an ICMP error, a refusal.
  void failed(std::size_t upstream, base::Time now);
  /// No answer within patience(): others are preferred until it comes.
  void late(std::size_t upstream, base::Time now);

  /// Whether a question should go to it although others are better.
  bool probe_due(std::size_t upstream, base::Time now) const;
  /// Whether it failed of late and has not answered since.
  bool is_down(std::size_t upstream, base::Time now) const;
  /// When another upstream should be asked if this one has not answered: srtt + 4 var, 150 to 800
  /// ms; 400 ms while nothing is known.
  base::Duration patience(std::size_t upstream) const;
  /// The same for asking only one at first: 10 to 50 ms.
  base::Duration hedge_delay(std::size_t upstream) const;
  /// Zero while nothing is known.
  base::Duration round_trip(std::size_t upstream) const { return all_[upstream].srtt; }
  double failures(std::size_t upstream, base::Time now) const;

  void lacks_edns(std::size_t upstream, base::Time now);
  void changes_case(std::size_t upstream, base::Time now);
  bool has_edns(std::size_t upstream, base::Time now) const;
  bool keeps_case(std::size_t upstream, base::Time now) const;

  /// It is ourselves: not asked for kSetAside.
  void set_aside(std::size_t upstream, base::Time now);
  bool is_aside(std::size_t upstream, base::Time now) const;

 private:
  struct State {
    base::Duration srtt{}, variance{};
    double failures = 0;  ///< at `failures_at`
    base::Time failures_at{};
    base::Time sent_at{};  ///< the last question
    base::Time edns_again{}, case_again{}, aside_until{};
    bool answered_last = false;  ///< after the last failure
    bool known = false;          ///< there is a round trip
  };
  double cost(std::size_t upstream, base::Time now) const;
  void add_failure(std::size_t upstream, double weight, base::Time now);

  std::vector<State> all_;
};

}  // namespace viaduct::dns::forward
