#include "base/subnet.h"

#include <charconv>
#include <cstddef>
#include <span>
#include <system_error>

namespace viaduct::base {
namespace {

/// The bits of an octet that a prefix covers, `at` octets behind the begin.
std::uint8_t mask(std::uint8_t prefix, std::size_t at) {
  const int bits = prefix - static_cast<int>(8 * at);
  if (bits >= 8) return 0xff;
  return bits <= 0 ? 0 : static_cast<std::uint8_t>(0xff << (8 - bits));
}

}  // namespace

bool Subnet::contains(const Address& other) const {
  if (address.is_v4() != other.is_v4()) return false;
  const std::span own = address.octets();
  const std::span others = other.octets();
  for (std::size_t i = 0; i < own.size(); i++)
    if (((own[i] ^ others[i]) & mask(prefix, i)) != 0) return false;
  return true;
}

bool Subnet::valid() const {
  const std::span octets = address.octets();
  if (prefix > 8 * octets.size()) return false;
  for (std::size_t i = 0; i < octets.size(); i++)
    if ((octets[i] & ~mask(prefix, i)) != 0) return false;
  return true;
}

std::string Subnet::to_string() const { return address.to_string() + "/" + std::to_string(prefix); }

std::optional<Subnet> Subnet::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  Subnet subnet{*address, static_cast<std::uint8_t>(address->is_v4() ? 32 : 128)};
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, failed] = std::from_chars(digits.begin(), digits.end(), subnet.prefix);
    if (failed != std::errc() || end != digits.end()) return std::nullopt;
  }
  return subnet.valid() ? std::optional(subnet) : std::nullopt;
}

}  // namespace viaduct::base
