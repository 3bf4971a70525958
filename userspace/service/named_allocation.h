#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/address.h"

namespace viaduct::service {

/// Addresses of one family for a set of names that changes: at any moment those that
/// allocate_named4() or allocate_named6() gives to the same names.
///
/// Names are served in the order of their first candidates. So a name gets the first address from
/// its candidate on that is neither taken nor at or before that of the name served before it, and
/// the last address of the range is passed only by names at the very end of the order: those get
/// what is free from the begin of the range on. A change moves names from its place on, up to the
/// first one that stays.
class NamedAllocation {
 public:
  using FirstCandidate = std::function<base::Address(const std::string& name)>;

  /// @param min, max  the range, both included.
  /// @param first  the first candidate of a name; within the range.
  NamedAllocation(const base::Address& min, const base::Address& max, FirstCandidate first);

  void add(const std::string& name);
  void remove(const std::string& name);
  /// An explicit VIP's address is never handed out.
  void take(const base::Address& address);
  void release(const base::Address& address);

  /// Brings names that passed the end of the range up to date.
  /// @return the names whose address may have changed since the last call, removed ones included.
  std::set<std::string> settle();

  /// As of the last settle(); absent: not a name, or the range is full.
  std::optional<base::Address> find(const std::string& name) const;

 private:
  using Wish = std::pair<base::Address, std::string>;  ///< first candidate and name
  /// Absent: what is left of the range behind the candidate is full.
  using Order = std::map<Wish, std::optional<base::Address>>;

  std::optional<base::Address> first_free(const base::Address& from) const;
  std::optional<base::Address> place(Order::const_iterator name) const;
  void place_from(Order::iterator name);
  /// The first name that holds `address` or passed it, or else the first that can't have.
  Order::iterator first_behind(const base::Address& address);
  void place_wrapped();

  base::Address min_;
  base::Address max_;
  FirstCandidate first_;
  std::set<base::Address> taken_;
  Order order_;
  std::map<std::string, base::Address> wrapped_;  ///< names that passed the end of the range
  std::set<std::string> moved_;
};

}  // namespace viaduct::service
