#include "config/check.h"

#include <algorithm>

namespace viaduct::config {
namespace {

using base::Address;

constexpr std::size_t kMaxHostLength = 253;  // RFC 1035, 2.3.4, without the root's octet
constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un.sun_path, less its terminator
constexpr std::size_t kMaxLinkName = 15;     // IFNAMSIZ - 1
constexpr std::size_t kMaxPath = 4095;       // PATH_MAX - 1

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= kMaxHostLength &&
         std::ranges::all_of(text, is_host_character);
}

std::optional<std::string> check_range(std::string_view text, bool v4) {
  const auto range = parse_address_range(text);
  if (range && range->first.is_v4() == v4) return std::nullopt;
  return std::string("is not a range of IPv") + (v4 ? "4" : "6") + " addresses, first-last";
}

}  // namespace

std::optional<HttpOrigin> parse_http_origin(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  HttpOrigin origin;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto address = Address::parse(text.substr(1, end - 1));
    if (!address || address->is_v4()) return std::nullopt;
    origin.host = address->to_string();
    text.remove_prefix(end + 1);
  } else {
    const std::string_view host = text.substr(0, text.find(':'));
    if (!is_host(host)) return std::nullopt;
    origin.host = host;
    text.remove_prefix(host.size());
  }
  if (text.empty()) return origin;
  const auto port = text.starts_with(':') ? base::parse_port(text.substr(1)) : std::nullopt;
  if (!port) return std::nullopt;
  origin.port = *port;
  return origin;
}

std::optional<std::pair<Address, Address>> parse_address_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = Address::parse(text.substr(0, dash));
  const auto last = Address::parse(text.substr(dash + 1));
  if (!first || !last || first->is_v4() != last->is_v4() || *last < *first) return std::nullopt;
  return std::pair(*first, *last);
}

std::optional<std::string> check_not_empty(std::string_view text) {
  if (!text.empty()) return std::nullopt;
  return "is empty";
}

std::optional<std::string> check_address(std::string_view text) {
  if (Address::parse(text)) return std::nullopt;
  return "is not an IPv4 or IPv6 address";
}

std::optional<std::string> check_ipv4_or_empty(std::string_view text) {
  const auto address = Address::parse(text);
  if (text.empty() || (address && address->is_v4())) return std::nullopt;
  return "is not an IPv4 address";
}

std::optional<std::string> check_ipv6_or_empty(std::string_view text) {
  const auto address = Address::parse(text);
  if (text.empty() || (address && address->is_v6())) return std::nullopt;
  return "is not an IPv6 address";
}

std::optional<std::string> check_endpoint_or_empty(std::string_view text) {
  if (text.empty() || base::Endpoint::parse(text)) return std::nullopt;
  return "is not of the form address:port or [IPv6 address]:port";
}

std::optional<std::string> check_ipv4_range(std::string_view text) {
  return check_range(text, true);
}

std::optional<std::string> check_ipv6_range(std::string_view text) {
  return check_range(text, false);
}

std::optional<std::string> check_http_origin_or_empty(std::string_view text) {
  if (text.empty() || parse_http_origin(text)) return std::nullopt;
  return "is not a URL of the form http://host:port";
}

std::optional<std::string> check_absolute_path(std::string_view text) {
  if (text.size() > kMaxPath) return "is longer than " + std::to_string(kMaxPath) + " bytes";
  if (text.starts_with('/') && text.find('\0') == std::string_view::npos) return std::nullopt;
  return "is not an absolute path";
}

std::optional<std::string> check_absolute_path_or_empty(std::string_view text) {
  return text.empty() ? std::nullopt : check_absolute_path(text);
}

std::optional<std::string> check_socket_path_or_empty(std::string_view text) {
  if (text.size() > kMaxSocketPath)
    return "is longer than " + std::to_string(kMaxSocketPath) + " bytes";
  return check_absolute_path_or_empty(text);
}

std::optional<std::string> check_link_name(std::string_view text) {
  const bool bad_character = std::ranges::any_of(
      text, [](char c) { return c <= ' ' || c > '~' || c == '/' || c == ':' || c == '*'; });
  if (!text.empty() && text.size() <= kMaxLinkName && text != "." && text != ".." && !bad_character)
    return std::nullopt;
  return "is not a network device's name";
}

std::optional<std::string> check_link_pattern(std::string_view text) {
  if (text == "*") return std::nullopt;
  if (text.ends_with('*')) text.remove_suffix(1);
  if (!check_link_name(text)) return std::nullopt;
  return "is not a network device's name, nor its beginning and *";
}

std::optional<std::string> check_node_name_or_empty(std::string_view text) {
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (printable && text.size() <= 255) return std::nullopt;
  return "is not a name of at most 255 printable characters without blanks";
}

}  // namespace viaduct::config
