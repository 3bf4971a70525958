// SPDX-License-Identifier: Apache-2.0
// Cuts a packet into two IP fragments and joins them again, byte by byte.
#pragma once

#include <array>
#include <utility>

#include "tests/support/packet.h"

namespace viaduct::testing {

inline constexpr std::size_t kEthernet = 14;

/// @param frame  an IPv4 packet without options, or an IPv6 one without extension headers.
/// @param cut  bytes of the payload in the first fragment, a multiple of 8.
inline std::array<Bytes, 2> in_fragments(const Bytes& frame, std::size_t cut,
                                         std::uint16_t id = 77) {
  using namespace packet_detail;
  const bool v4 = frame[kEthernet] >> 4 == 4;
  const std::size_t header = v4 ? 20 : 40;
  const Bytes payload(frame.begin() + static_cast<long>(kEthernet + header), frame.end());
  std::array<Bytes, 2> parts;
  for (std::size_t i = 0; i < 2; i++) {
    const std::size_t from = i == 0 ? 0 : cut, to = i == 0 ? cut : payload.size();
    Bytes& part = parts[i];
    part.assign(frame.begin(), frame.begin() + static_cast<long>(kEthernet + header));
    if (v4) {
      set16(part, kEthernet + 2, static_cast<std::uint16_t>(header + to - from));
      set16(part, kEthernet + 4, id);
      set16(part, kEthernet + 6, static_cast<std::uint16_t>(i == 0 ? 0x2000 : from / 8));
      set16(part, kEthernet + 10, 0);
      set16(part, kEthernet + 10, checksum(Bytes(part.begin() + kEthernet, part.end())));
    } else {
      set16(part, kEthernet + 4, static_cast<std::uint16_t>(8 + to - from));
      const std::uint8_t proto = part[kEthernet + 6];
      part[kEthernet + 6] = IPPROTO_FRAGMENT;
      put(part, {proto, 0});
      put16(part, static_cast<std::uint32_t>(from) | (i == 0 ? 1U : 0U));
      put32(part, id);
    }
    part.insert(part.end(), payload.begin() + static_cast<long>(from),
                payload.begin() + static_cast<long>(to));
  }
  return parts;
}

/// The packet that the two are of.
inline Bytes joined(const Bytes& first, const Bytes& second) {
  using namespace packet_detail;
  const bool v4 = first[kEthernet] >> 4 == 4;
  const std::size_t header = kEthernet + (v4 ? 20 : 48);
  Bytes out = first;
  out.insert(out.end(), second.begin() + static_cast<long>(header), second.end());
  if (v4) {
    set16(out, kEthernet + 2, static_cast<std::uint16_t>(out.size() - kEthernet));
    set16(out, kEthernet + 6, 0);
    set16(out, kEthernet + 10, 0);
    set16(out, kEthernet + 10, checksum(Bytes(out.begin() + kEthernet, out.begin() + header)));
    return out;
  }
  out[kEthernet + 6] = first[kEthernet + 40];
  out.erase(out.begin() + kEthernet + 40, out.begin() + kEthernet + 48);
  set16(out, kEthernet + 4, static_cast<std::uint16_t>(out.size() - kEthernet - 40));
  return out;
}

}  // namespace viaduct::testing
