#include "zookeeper/url.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/address.h"
#include "base/quote.h"
#include "zookeeper/errors.h"
#include "zookeeper/limits.h"

namespace viaduct::zookeeper {
namespace {

constexpr std::string_view kScheme = "zk://";

base::Error bad(std::string what) { return {Errc::bad_url, std::move(what)}; }

bool is_control(char octet) { return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f; }

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxHostBytes &&
         std::all_of(text.begin(), text.end(), [](char octet) {
           return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                  (octet >= '0' && octet <= '9') || octet == '-' || octet == '.' || octet == '_';
         });
}

std::optional<Server> parse_server(std::string_view text) {
  Server out;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    out.host = text.substr(1, end - 1);
    const auto address = base::Address::parse(out.host);
    if (!address || !address->is_v6()) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    has_port = !rest.empty();
    if (has_port && rest.front() != ':') return std::nullopt;
    if (has_port) port = rest.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    out.host = text.substr(0, colon);
    if (has_port) port = text.substr(colon + 1);
    if (!is_host_name(out.host)) return std::nullopt;
  }
  if (!has_port) return out;
  const auto number = base::parse_port(port);
  if (!number) return std::nullopt;
  out.port = *number;
  return out;
}

/// Why ZooKeeper would not take the path; absent: it would.
std::optional<std::string> wrong_path(std::string_view path) {
  if (path == "/") return std::nullopt;
  if (std::any_of(path.begin(), path.end(), is_control)) return "has a control character";
  std::string_view rest = path.substr(1);
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty()) return "has an empty part";
    if (part == "." || part == "..") return "has the part \"" + std::string(part) + "\"";
    if (slash == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string Server::to_string() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Url::to_string() const {
  std::string out(kScheme);
  if (!credentials.empty()) out += credentials.substr(0, credentials.find(':')) + "@";
  for (std::size_t i = 0; i < servers.size(); i++)
    out += (i == 0 ? "" : ",") + servers[i].to_string();
  return out + path;
}

base::Result<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes)
    return bad("it has " + std::to_string(text.size()) + " octets; at most " +
               std::to_string(kMaxUrlBytes) + " are allowed");
  if (!text.starts_with(kScheme)) return bad("it does not begin with zk://");
  text.remove_prefix(kScheme.size());
  const std::size_t slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  Url out;
  if (slash != std::string_view::npos) out.path = text.substr(slash);
  if (out.path.size() > 1 && out.path.ends_with('/')) out.path.pop_back();

  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    out.credentials = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const std::size_t colon = out.credentials.find(':');
    if (colon == std::string::npos || colon == 0)
      return bad("the part before \"@\" is not user:password");
    if (std::any_of(out.credentials.begin(), out.credentials.end(), is_control))
      return bad("the part before \"@\" has a control character");
  }
  // A password with a slash would end early, and its rest be taken for a path and shown.
  if (out.path.find('@') != std::string::npos)
    return bad(
        "an \"@\" stands behind the first \"/\"; neither a password with \"/\" nor a path "
        "with \"@\" is understood");

  while (true) {
    const std::size_t comma = authority.find(',');
    auto server = parse_server(authority.substr(0, comma));
    if (!server)
      return bad("server #" + std::to_string(out.servers.size() + 1) + ", " +
                 base::in_quotes(authority.substr(0, comma)) +
                 ", is not host:port (IPv6: [address]:port)");
    if (out.servers.size() == kMaxServers)
      return bad("more than " + std::to_string(kMaxServers) + " servers");
    out.servers.push_back(std::move(*server));
    if (comma == std::string_view::npos) break;
    authority.remove_prefix(comma + 1);
  }
  if (const auto wrong = wrong_path(out.path))
    return bad("the path " + base::in_quotes(out.path) + " " + *wrong);
  return out;
}

}  // namespace viaduct::zookeeper
