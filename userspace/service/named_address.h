#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/address.h"
#include "service/name_ticks.h"

namespace viaduct::service {

/// Erlang's phash2 of a binary, 32 bits: Bob Jenkins' lookup2. Kept so that named VIPs have
/// dcos-net's addresses.
std::uint32_t phash2(std::string_view bytes);

/// Ranges that named VIPs get their addresses from; first and last are included.
struct NamedRanges {
  base::Address min4 = base::Address::v4(0x0b000000);
  base::Address max4 = base::Address::v4(0x0bffffff);
  base::Address min6 = *base::Address::parse("fd01:c::");
  base::Address max6 = *base::Address::parse("fd01:c::ffff:ffff:ffff:ffff");
};

/// dcos-net's first choice: min + phash2(name) mod (max - min).
base::Address first_candidate4(std::string_view name, const NamedRanges& ranges);
/// dcos-net's first choice: min + (SHA-1(name) as a 160-bit number) mod (max - min).
base::Address first_candidate6(std::string_view name, const NamedRanges& ranges);

/// Which of two names that want one address gets it: the one that is older, then the one with the
/// smaller hash. Names without a tick come last.
struct NameRank {
  Tick tick = kNoTick;
  std::uint64_t hash = 0;

  auto operator<=>(const NameRank&) const = default;
  bool operator==(const NameRank&) const = default;
};
NameRank rank_of(std::string_view name, Tick tick);

/// Addresses of one family for all names: a pure function of the names with their ticks and the
/// addresses taken, so nodes that know the same agree without talking. Names are served by rank,
/// then by themselves; each gets its first candidate, or the first address behind it that is free;
/// the range begins anew at its end. So a name that is younger than all others moves none.
/// @param taken  explicit VIP addresses, never handed out.
/// @return a name is absent only when the range is full.
std::map<std::string, base::Address> allocate_named4(const std::map<std::string, Tick>& names,
                                                     const std::set<base::Address>& taken,
                                                     const NamedRanges& ranges);
std::map<std::string, base::Address> allocate_named6(const std::map<std::string, Tick>& names,
                                                     const std::set<base::Address>& taken,
                                                     const NamedRanges& ranges);

}  // namespace viaduct::service
