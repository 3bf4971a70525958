#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace viaduct::service {

/// Tells which of two names was there first: the smaller. The node that publishes a name first
/// gives it the largest tick that it has seen, plus one; others copy the smallest that they see.
using Tick = std::uint64_t;
/// Of a name that nobody has given one: after all others.
inline constexpr Tick kNoTick = std::numeric_limits<Tick>::max();

/// The ticks that nodes give to names.
class NameTicks {
 public:
  /// Notes a node's tick; several may be equal.
  void add(const std::string& name, Tick tick);
  /// Takes one back that was added.
  void remove(const std::string& name, Tick tick);

  bool contains(const std::string& name) const { return ticks_.contains(name); }
  /// The smallest; kNoTick: there is none.
  Tick of(const std::string& name) const;
  /// The largest ever added; 0: none was.
  Tick largest() const { return largest_; }

 private:
  using Counts = std::vector<std::pair<Tick, std::size_t>>;  ///< sorted; nearly always one

  std::map<std::string, Counts> ticks_;
  Tick largest_ = 0;
};

}  // namespace viaduct::service
