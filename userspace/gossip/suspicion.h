#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/time.h"

namespace viaduct::gossip {

/// Time left until a suspect counts as dead.
/// Falls from `max` to `min` as distinct nodes confirm, so one slow accuser cannot kill a healthy
/// node.
/// @param confirmations  distinct accusers besides the first.
/// @param expected  confirmations that bring the wait down to `min`; 0: `min` from the start.
/// @return never negative; zero: declare it dead now.
/// Source: Lifeguard (arXiv:1707.00788), LHA-Suspicion.
base::Duration suspicion_left(std::size_t confirmations, std::size_t expected,
                              base::Duration elapsed, base::Duration min, base::Duration max);

/// The doubt about one member.
class Suspicion {
 public:
  struct Limits {
    std::size_t expected = 0;  ///< confirmations that count
    base::Duration min{};
    base::Duration max{};
  };

  Suspicion(std::string from, Limits limits, base::Time now);

  /// Notes an accuser.
  /// @return whether it is a new one that counts: then others should hear of it.
  bool confirm(const std::string& from);

  /// When it becomes death.
  base::Time deadline() const;
  base::Time since() const { return since_; }
  std::size_t confirmations() const { return accusers_.size() - 1; }

 private:
  std::vector<std::string> accusers_;  ///< the first and those who confirmed; few
  Limits limits_;
  base::Time since_;
};

}  // namespace viaduct::gossip
