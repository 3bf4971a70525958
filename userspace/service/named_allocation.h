#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/address.h"
#include "service/address_number.h"
#include "service/named_address.h"

namespace viaduct::service {

/// Addresses of one family for a set of names that changes: at any moment those that
/// allocate_named4() or allocate_named6() gives to the same names.
///
/// Names are served by rank. One that comes takes its first address that nobody of a better rank
/// has; whoever had it goes on from there. One that goes leaves a hole to the best of those who
/// went past it, whose own place is the next hole. So a change costs what moves, and what stands in
/// a row without a gap behind a hole.
class NamedAllocation {
 public:
  using FirstCandidate = std::function<base::Address(const std::string& name)>;

  /// @param min, max  the range, both included.
  /// @param first  the first candidate of a name; within the range.
  NamedAllocation(const base::Address& min, const base::Address& max, FirstCandidate first);

  /// A name has come, or has another tick.
  void add(const std::string& name, Tick tick = kNoTick);
  void remove(const std::string& name);
  /// An explicit VIP's address is never handed out.
  void take(const base::Address& address);
  void release(const base::Address& address);

  /// @return the names whose address may have changed since the last call, removed ones included.
  std::set<std::string> take_moved() { return std::exchange(moved_, {}); }

  /// Absent: not a name, or the range is full.
  std::optional<base::Address> find(const std::string& name) const;

 private:
  using Offset = Uint128;  ///< from the begin of the range
  struct Place {
    NameRank rank;
    Offset first = 0;
    std::optional<Offset> at;
  };
  using Names = std::map<std::string, Place>;
  using Name = Names::value_type;
  struct ByRank {
    bool operator()(const Name* one, const Name* other) const { return ahead(*one, *other); }
  };

  static bool ahead(const Name& one, const Name& other);
  Offset next(Offset offset) const { return offset == last_ ? 0 : offset + 1; }
  bool passed(const Name& name, Offset hole) const;
  std::optional<Offset> offset_of(const base::Address& address) const;
  void place(Name* name, Offset at);
  void fill(Offset hole);

  Offset min_;
  Offset last_;
  FirstCandidate first_;
  Names names_;
  std::map<Offset, Name*> holders_;    ///< null: an explicit VIP's
  std::set<Name*, ByRank> placeless_;  ///< the range is full
  std::set<std::string> moved_;
};

}  // namespace viaduct::service
