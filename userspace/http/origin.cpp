#include "http/origin.h"

#include "config/check.h"
#include "http/errors.h"

namespace viaduct::http {
namespace {

constexpr std::string_view kUnixScheme = "unix:";
constexpr std::string_view kHttpScheme = "http://";
constexpr std::string_view kHttpsScheme = "https://";
constexpr std::uint16_t kHttpsPort = 443;
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
                   : std::string(tls ? kHttpsScheme : kHttpScheme) + host_header();
}

base::Result<Origin> parse_origin(std::string_view text) {
  std::string_view path = text;
  if (path.starts_with(kUnixScheme)) path.remove_prefix(kUnixScheme.size());
  if (path.starts_with('/')) {
    if (path.size() > kMaxSocketPath || path.find('\0') != std::string_view::npos) return bad(text);
    return Origin{.host = "", .port = 0, .socket_path = std::string(path)};
  }
  std::string_view authority = text;
  const bool tls = authority.starts_with(kHttpsScheme);
  if (tls)
    authority.remove_prefix(kHttpsScheme.size());
  else if (authority.starts_with(kHttpScheme))
    authority.remove_prefix(kHttpScheme.size());
  const auto parsed = config::parse_http_origin(std::string(kHttpScheme) + std::string(authority));
  if (!parsed) return bad(text);
  const bool has_port = authority.substr(authority.rfind(']') + 1).find(':') != authority.npos;
  return Origin{.host = parsed->host,
                .port = tls && !has_port ? kHttpsPort : parsed->port,
                .socket_path = "",
                .tls = tls};
}

}  // namespace viaduct::http
