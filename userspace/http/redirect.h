#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/origin.h"

namespace viaduct::http {

/// Redirects that one request follows.
inline constexpr std::size_t kMaxRedirects = 5;
/// Longest Location that is read, in bytes.
inline constexpr std::size_t kMaxLocationBytes = 2048;

/// Where a request goes: an origin, and the path and query there.
struct Place {
  Origin origin;
  std::string target = "/";

  /// "http://192.0.2.1:5050/master/state".
  std::string to_string() const { return origin.to_string() + target; }
  bool operator==(const Place&) const = default;
};

/// Whether the status says that the same request has to be made elsewhere: 307 and 308. The others
/// (301, 302, 303) turn a POST into a GET and are not followed.
bool is_redirect(unsigned status);

/// Where a Location leads from a place: "//host:port/path" (as Mesos writes it), "//host:port" (the
/// path stays), "http://host:port/path" or "/path".
/// @errors Errc::bad_redirect, the context quotes the Location: any other form, a user name in it,
/// a way from https to http, or from a unix socket to a host. Source: RFC 9110, 10.2.2; RFC
/// 3986, 4.2.
base::Result<Place> redirected(const Place& from, std::string_view location);

/// The places that one request has been sent to.
/// What a redirect may carry along is not decided here: Request::only_to keeps credentials with the
/// hosts that they are meant for, also where a Location gives a name.
class RedirectTrail {
 public:
  explicit RedirectTrail(Place first) : places_{std::move(first)} {}

  const Place& last() const { return places_.back(); }
  /// Redirects so far.
  std::size_t redirects() const { return places_.size() - 1; }
  /// Takes one redirect.
  /// @return the new last().
  /// @errors Errc::bad_redirect: as redirected(), a place that was there before, or more than
  /// kMaxRedirects.
  base::Result<Place> follow(std::string_view location);

 private:
  std::vector<Place> places_;
};

}  // namespace viaduct::http
