#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct::dns {

/// "A", "SRV", ...; "TYPE<n>" for those that we do not serve (RFC 3597, 5).
std::string type_name(std::uint16_t type);

/// The other way, without regard to case.
std::optional<std::uint16_t> parse_type(std::string_view text);

}  // namespace viaduct::dns
