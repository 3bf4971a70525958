#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>

#include "base/result.h"
#include "http/message.h"
#include "http/origin.h"

namespace viaduct::http {

/// Largest head of an answer that is read, in bytes.
inline constexpr std::size_t kMaxAnswerHeadBytes = 64 * 1024;

/// Bounds of one exchange.
struct Limits {
  std::chrono::milliseconds timeout{5000};  ///< for all of it: resolve, connect, write and read
  std::size_t max_answer_bytes = 1 << 20;   ///< of the body; memory grows with what arrives only
};

/// One request on a connection of its own; any status is a success. For an answer that does not
/// end, or that may have to be given up: Stream.
/// @errors an http::Errc, or the system's code ("connection refused"); the context is
/// "POST http://192.0.2.1:5051/api/v1". Never shows credentials.
boost::asio::awaitable<base::Result<Response>> request(Origin origin, Request request,
                                                       Limits limits);

/// The same for a program without an event loop; blocks until the answer or the timeout.
base::Result<Response> fetch(const Origin& origin, const Request& request, const Limits& limits);

}  // namespace viaduct::http
