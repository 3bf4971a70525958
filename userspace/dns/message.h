#pragma once

#include <cstddef>
#include <cstdint>

namespace viaduct::dns {

/// Octets of a message's header (RFC 1035, 4.1.1).
inline constexpr std::size_t kHeaderOctets = 12;
/// UDP answer size without EDNS (RFC 1035, 2.3.4).
inline constexpr std::size_t kPlainUdpOctets = 512;
/// UDP size that is advertised and never exceeded (DNS flag day 2020).
inline constexpr std::size_t kMaxUdpOctets = 1232;
/// Largest message over TCP (RFC 1035, 4.2.2).
inline constexpr std::size_t kMaxTcpOctets = 65535;

/// Record types by their numbers.
enum class Type : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  aaaa = 28,
  srv = 33,
  opt = 41,
  tsig = 250,
  ixfr = 251,
  axfr = 252,
  any = 255,
};

inline constexpr std::uint16_t kClassIn = 1;
inline constexpr std::uint16_t kClassAny = 255;

/// Response codes; those over 15 travel in the OPT record (RFC 6891, 6.1.3).
enum class Rcode : std::uint16_t {
  no_error = 0,
  format_error = 1,
  server_failure = 2,
  name_error = 3,
  not_implemented = 4,
  refused = 5,
  not_authoritative = 9,
  bad_version = 16,
};

inline std::uint16_t read16(const std::uint8_t* from) {
  return static_cast<std::uint16_t>(from[0] << 8 | from[1]);
}
inline std::uint32_t read32(const std::uint8_t* from) {
  return static_cast<std::uint32_t>(read16(from)) << 16 | read16(from + 2);
}
inline void write16(std::uint8_t* to, std::uint16_t value) {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
}
inline void write32(std::uint8_t* to, std::uint32_t value) {
  write16(to, static_cast<std::uint16_t>(value >> 16));
  write16(to + 2, static_cast<std::uint16_t>(value));
}

}  // namespace viaduct::dns
