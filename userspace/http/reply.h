#pragma once

#include <functional>
#include <optional>
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

/// What is known of a request before its body.
struct RequestHead {
  std::string_view method;                 ///< as received, HEAD too
  std::string_view target;                 ///< path and query as received, not decoded
  std::optional<std::string_view> accept;  ///< absent: no such header; several are one with commas
};

/// Answers one request by all of its head.
using HeadHandler = std::function<Reply(const RequestHead&)>;

/// Answers one request.
/// @param method  "GET"; a HEAD arrives as GET, and the server leaves the body out.
/// @param target  path and query as received, not decoded.
using Handler = std::function<Reply(std::string_view method, std::string_view target)>;

}  // namespace viaduct::http
