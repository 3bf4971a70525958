#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace viaduct::base {

/// An IPv4 or IPv6 address. IPv4 is held as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so all IPv4
/// addresses sort together; the mapped form is never an IPv6 address of its own.
class Address {
 public:
  /// The IPv4 address 0.0.0.0.
  Address();
  /// @param octets  network order.
  static Address v4(std::array<std::uint8_t, 4> octets);
  /// @param value  host order: 11.0.0.0 is 0x0b000000.
  static Address v4(std::uint32_t value);
  /// @param octets  network order; a mapped IPv4 address becomes IPv4.
  static Address v6(std::array<std::uint8_t, 16> octets);

  /// Strict text form: four decimal octets without leading zeros, or IPv6 (RFC 4291, 2.2) without
  /// brackets, zone or prefix length. A mapped address in IPv6 form is refused.
  static std::optional<Address> parse(std::string_view text);

  bool is_v4() const;
  bool is_v6() const { return !is_v4(); }
  /// All 16 octets, network order, IPv4 as mapped.
  const std::array<std::uint8_t, 16>& mapped() const { return octets_; }
  /// The 4 or 16 octets of the family, network order.
  std::span<const std::uint8_t> octets() const;
  /// Host order; only for IPv4.
  std::uint32_t v4_value() const;

  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const;
  bool is_broadcast() const;
  bool is_link_local() const;

  std::string to_string() const;

  auto operator<=>(const Address&) const = default;
  bool operator==(const Address&) const = default;

 private:
  std::array<std::uint8_t, 16> octets_;
};

/// An address with a TCP or UDP port.
struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  /// "192.0.2.1:80" or "[2001:db8::1]:80".
  std::string to_string() const;
  /// Reads what to_string() writes. Port 0 is refused.
  static std::optional<Endpoint> parse(std::string_view text);

  auto operator<=>(const Endpoint&) const = default;
  bool operator==(const Endpoint&) const = default;
};

/// Values are the IP protocol numbers.
enum class Protocol : std::uint8_t { tcp = 6, udp = 17 };

/// "tcp" or "udp".
std::string_view to_string(Protocol protocol);
/// Case-insensitive; absent for anything else.
std::optional<Protocol> parse_protocol(std::string_view text);

/// A decimal port 1..65535: digits only, leading zeros allowed.
std::optional<std::uint16_t> parse_port(std::string_view text);

}  // namespace viaduct::base

template <>
struct std::hash<viaduct::base::Address> {
  std::size_t operator()(const viaduct::base::Address& address) const noexcept;
};
