#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace viaduct::base {

/// All addresses of a family that begin alike: "192.0.2.0/24".
struct Subnet {
  Address address;          ///< its first address
  std::uint8_t prefix = 0;  ///< bits that are alike: 0..32 or 0..128

  bool contains(const Address& other) const;

  /// Whether the prefix is in range and no bit behind it is set.
  bool valid() const;

  std::string to_string() const;
  /// Reads what to_string() writes; a lone address is a subnet of one. Bits behind the prefix are
  /// refused.
  static std::optional<Subnet> parse(std::string_view text);

  auto operator<=>(const Subnet&) const = default;
  bool operator==(const Subnet&) const = default;
};

}  // namespace viaduct::base
