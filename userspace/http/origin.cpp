#include "http/origin.h"

#include "config/check.h"
#include "http/errors.h"

namespace viaduct::http {
namespace {

constexpr std::string_view kUnixScheme = "unix:";
constexpr std::string_view kHttpScheme = "http://";
constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un.sun_path without its final zero

base::Error bad(std::string_view text) {
  constexpr std::size_t kShown = 120;
  return {Errc::bad_origin, "\"" + std::string(text.substr(0, kShown)) + "\""};
}

}  // namespace

std::string Origin::host_header() const {
  if (is_unix()) return "localhost";
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Origin::to_string() const {
  return is_unix() ? std::string(kUnixScheme) + socket_path
                   : std::string(kHttpScheme) + host_header();
}

base::Result<Origin> parse_origin(std::string_view text) {
  std::string_view path = text;
  if (path.starts_with(kUnixScheme)) path.remove_prefix(kUnixScheme.size());
  if (path.starts_with('/')) {
    if (path.size() > kMaxSocketPath || path.find('\0') != std::string_view::npos) return bad(text);
    return Origin{.host = "", .port = 0, .socket_path = std::string(path)};
  }
  const bool has_scheme = text.starts_with(kHttpScheme);
  const auto parsed = config::parse_http_origin(
      has_scheme ? std::string(text) : std::string(kHttpScheme) + std::string(text));
  if (!parsed) return bad(text);
  return Origin{.host = parsed->host, .port = parsed->port, .socket_path = ""};
}

}  // namespace viaduct::http
