#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace viaduct::http {

/// What a server answers.
struct Reply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;  ///< methods, for status 405; else empty
};

/// Answers one request.
/// @param method  "GET"; a HEAD arrives as GET, and the server leaves the body out.
/// @param target  path and query as received, not decoded.
using Handler = std::function<Reply(std::string_view method, std::string_view target)>;

}  // namespace viaduct::http
