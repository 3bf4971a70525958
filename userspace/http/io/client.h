#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/origin.h"

namespace viaduct::http {

/// Largest head of an answer that is read, in bytes.
inline constexpr std::size_t kMaxAnswerHeadBytes = 64 * 1024;

struct BasicAuth {
  std::string user;
  std::string password;
};

struct Request {
  std::string method = "GET";
  std::string target = "/";  ///< path and query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<BasicAuth> auth;
};

struct Response {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< in the order received
  std::string body;

  /// Value of the first header of that name (case-insensitive); absent if there is none.
  std::optional<std::string_view> header(std::string_view name) const;
};

/// Bounds of one exchange.
struct Limits {
  std::chrono::milliseconds timeout{5000};  ///< for all of it: resolve, connect, write and read
  std::size_t max_answer_bytes = 1 << 20;   ///< of the body; memory grows with what arrives only
};

/// One request on a connection of its own; any status is a success.
/// @errors an http::Errc, or the system's code ("connection refused"); the context is
/// "POST http://192.0.2.1:5051/api/v1". Never shows credentials.
boost::asio::awaitable<base::Result<Response>> request(Origin origin, Request request,
                                                       Limits limits);

/// The same for a program without an event loop; blocks until the answer or the timeout.
base::Result<Response> fetch(const Origin& origin, const Request& request, const Limits& limits);

}  // namespace viaduct::http
