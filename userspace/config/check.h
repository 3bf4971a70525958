#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/address.h"

namespace viaduct::config {

/// A URL of the form http://host[:port], as it stands in the configuration.
struct HttpOrigin {
  std::string host;  ///< a name or an address, IPv6 without brackets
  std::uint16_t port = 80;

  bool operator==(const HttpOrigin&) const = default;
};

/// Reads "http://host", "http://host:5051", "http://[2001:db8::1]:5051", also with one slash at the
/// end.
std::optional<HttpOrigin> parse_http_origin(std::string_view text);

/// Reads "first-last": two addresses of one family, first <= last.
std::optional<std::pair<base::Address, base::Address>> parse_address_range(std::string_view text);

// Checks for config::Key: absent when the text is fine, else the rest of a sentence about it.
// The "or_empty" ones accept "", which means off or detected.

std::optional<std::string> check_not_empty(std::string_view text);
std::optional<std::string> check_address(std::string_view text);
std::optional<std::string> check_ipv4_or_empty(std::string_view text);
std::optional<std::string> check_ipv6_or_empty(std::string_view text);
std::optional<std::string> check_endpoint_or_empty(std::string_view text);
std::optional<std::string> check_ipv4_range(std::string_view text);
std::optional<std::string> check_ipv6_range(std::string_view text);
std::optional<std::string> check_http_origin_or_empty(std::string_view text);
std::optional<std::string> check_absolute_path(std::string_view text);
std::optional<std::string> check_absolute_path_or_empty(std::string_view text);
/// Fits sockaddr_un: absolute and shorter than 108 bytes.
std::optional<std::string> check_socket_path_or_empty(std::string_view text);
/// A network device's name: 1..15 bytes without '/', ':' and blanks.
std::optional<std::string> check_link_name(std::string_view text);
/// The same, and `*` for any characters at the end: "veth*".
std::optional<std::string> check_link_pattern(std::string_view text);
/// A host name or free node name: 1..255 printable ASCII characters without blanks, or "".
std::optional<std::string> check_node_name_or_empty(std::string_view text);

}  // namespace viaduct::config
