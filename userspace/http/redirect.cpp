#include "http/redirect.h"

#include <algorithm>

#include "base/quote.h"
#include "http/errors.h"

namespace viaduct::http {
namespace {

constexpr unsigned kTemporaryRedirect = 307;
constexpr unsigned kPermanentRedirect = 308;

base::Error bad(const Place& from, std::string_view location, std::string_view why) {
  return {Errc::bad_redirect,
          from.to_string() + " leads to " + base::in_quotes(location) + ", " + std::string(why)};
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

bool is_redirect(unsigned status) {
  return status == kTemporaryRedirect || status == kPermanentRedirect;
}

base::Result<Place> redirected(const Place& from, std::string_view location) {
  if (location.size() > kMaxLocationBytes) return bad(from, location, "which is too long");
  if (location.empty() || !is_plain(location)) return bad(from, location, "which is no URL");
  std::string_view rest = location.substr(0, location.find('#'));
  Place to = from;
  if (rest.starts_with('/') && !rest.starts_with("//")) {
    to.target = rest;
    return to;
  }
  std::string scheme = from.origin.tls ? "https://" : "http://";
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
  } else if (rest.starts_with("http://") || rest.starts_with("https://")) {
    const std::size_t authority = rest.find("//") + 2;
    scheme = rest.substr(0, authority);
    rest.remove_prefix(authority);
  } else {
    return bad(from, location, "which is neither a URL of HTTP nor an absolute path");
  }
  if (from.origin.is_unix()) return bad(from, location, "away from a unix socket");
  if (from.origin.tls && scheme == "http://") return bad(from, location, "away from TLS");
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const auto origin = parse_origin(scheme + std::string(rest.substr(0, end)));
  if (!origin) return bad(from, location, "whose host and port cannot be read");
  to.origin = *origin;
  rest.remove_prefix(end);
  if (!rest.empty()) to.target = (rest.starts_with('?') ? "/" : "") + std::string(rest);
  return to;
}

base::Result<Place> RedirectTrail::follow(std::string_view location) {
  auto to = redirected(last(), location);
  if (!to) return to;
  if (std::ranges::find(places_, *to) != places_.end())
    return bad(last(), location, "where this request has been: a loop");
  if (redirects() == kMaxRedirects)
    return bad(last(), location,
               "after " + std::to_string(kMaxRedirects) + " redirects of one request");
  places_.push_back(std::move(*to));
  return last();
}

}  // namespace viaduct::http
