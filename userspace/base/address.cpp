#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace viaduct::base {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < 4; i++) {
    std::size_t digits = 0;
    unsigned value = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 4)
      value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
    const bool leading_zero = digits > 1 && text[0] == '0';
    if (digits == 0 || digits > 3 || leading_zero || value > 255) return std::nullopt;
    octets[i] = static_cast<std::uint8_t>(value);
    text.remove_prefix(digits);
    if (i == 3) break;
    if (text.empty() || text[0] != '.') return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return octets;
}

}  // namespace

Address::Address() : octets_{} {
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), octets_.begin());
}

Address Address::v4(std::array<std::uint8_t, 4> octets) {
  Address address;
  std::copy(octets.begin(), octets.end(), address.octets_.begin() + 12);
  return address;
}

Address Address::v4(std::uint32_t value) {
  return v4({static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
             static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
}

Address Address::v6(std::array<std::uint8_t, 16> octets) {
  Address address;
  address.octets_ = octets;
  return address;
}

std::optional<Address> Address::parse(std::string_view text) {
  if (const auto octets = parse_v4(text)) return v4(*octets);
  if (text.find(':') == std::string_view::npos || text.size() > 45) return std::nullopt;
  std::array<std::uint8_t, 16> octets{};
  const std::string terminated(text);
  if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
  if (inet_pton(AF_INET6, terminated.c_str(), octets.data()) != 1) return std::nullopt;
  const Address address = v6(octets);
  if (address.is_v4()) return std::nullopt;
  return address;
}

bool Address::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), octets_.begin());
}

std::span<const std::uint8_t> Address::octets() const {
  return is_v4() ? std::span(octets_).subspan(12) : std::span(octets_);
}

std::uint32_t Address::v4_value() const {
  assert(is_v4());
  return static_cast<std::uint32_t>(octets_[12]) << 24 |
         static_cast<std::uint32_t>(octets_[13]) << 16 |
         static_cast<std::uint32_t>(octets_[14]) << 8 | octets_[15];
}

bool Address::is_unspecified() const {
  const auto own = octets();
  return std::all_of(own.begin(), own.end(), [](std::uint8_t octet) { return octet == 0; });
}

bool Address::is_loopback() const {
  if (is_v4()) return octets_[12] == 127;
  return std::all_of(octets_.begin(), octets_.end() - 1,
                     [](std::uint8_t octet) { return octet == 0; }) &&
         octets_[15] == 1;
}

bool Address::is_multicast() const {
  return is_v4() ? (octets_[12] & 0xf0) == 0xe0 : octets_[0] == 0xff;
}

bool Address::is_broadcast() const { return is_v4() && v4_value() == 0xffffffff; }

bool Address::is_link_local() const {
  return is_v4() ? octets_[12] == 169 && octets_[13] == 254
                 : octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}

std::string Address::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, octets().data(), text, sizeof(text));
  return text;
}

std::string Endpoint::to_string() const {
  const std::string host = address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
  return host + ":" + std::to_string(port);
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return std::nullopt;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  if (!address || address->is_v6() != bracketed) return std::nullopt;
  return Endpoint{*address, *port};
}

std::string_view to_string(Protocol protocol) { return protocol == Protocol::tcp ? "tcp" : "udp"; }

std::optional<Protocol> parse_protocol(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
  });
  if (lower == "tcp") return Protocol::tcp;
  if (lower == "udp") return Protocol::udp;
  return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value == 0 || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

}  // namespace viaduct::base

std::size_t std::hash<viaduct::base::Address>::operator()(
    const viaduct::base::Address& address) const noexcept {
  const auto& octets = address.mapped();
  return std::hash<std::string_view>{}(
      {reinterpret_cast<const char*>(octets.data()), octets.size()});
}
