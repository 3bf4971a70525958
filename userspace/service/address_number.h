#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/address.h"

namespace viaduct::service {

__extension__ typedef unsigned __int128 Uint128;

/// An address as a number, IPv4 in its mapped form, so that ranges can be counted through.
inline Uint128 to_number(const base::Address& address) {
  Uint128 value = 0;
  for (const std::uint8_t octet : address.mapped()) value = value << 8 | octet;
  return value;
}

inline base::Address from_number(Uint128 value) {
  std::array<std::uint8_t, 16> octets{};
  for (std::size_t i = 16; i-- > 0; value >>= 8) octets[i] = static_cast<std::uint8_t>(value);
  return base::Address::v6(octets);
}

}  // namespace viaduct::service
