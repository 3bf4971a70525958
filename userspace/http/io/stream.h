#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "http/message.h"
#include "http/origin.h"

namespace viaduct::http {

/// Octets of an answer that are in memory at once, at most; the head is within them.
inline constexpr std::size_t kMaxAnswerBufferBytes = 128 * 1024;

/// One request on a connection of its own, whose answer is taken piece by piece, for as long as it
/// goes on. On the thread of its executor.
class Stream {
 public:
  explicit Stream(boost::asio::any_io_executor executor);
  /// Closes the connection.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Until when each step has to be done.
  struct Deadlines {
    base::Time connect;  ///< the name looked up, connected, TLS agreed on
    base::Time head;     ///< the answer's head read
  };

  /// Sends the request and reads the head of the answer; any status is a success. Call it once.
  /// @param max_body_bytes  absent: no limit. A longer Content-Length is refused at once.
  /// @errors an http::Errc, or the system's code ("connection refused"); operation_aborted after
  /// stop(). The context is "POST http://192.0.2.1:5051/api/v1", and what else there is to say;
  /// never credentials.
  boost::asio::awaitable<base::Result<Response>> open(
      Origin origin, Request request, Deadlines deadlines,
      std::optional<std::uint64_t> max_body_bytes = std::nullopt);

  /// The next octets of the body, as they have arrived; none: the body is whole.
  /// @param deadline  Time::max(): no limit.
  /// @return at most kMaxAnswerBufferBytes; valid until the next call.
  /// @errors as open(); Errc::cut_off: the connection ended before the body.
  boost::asio::awaitable<base::Result<std::string_view>> read(base::Time deadline);

  /// Ends what is under way at once, and all further calls.
  void stop();

  /// Whom we are connected to over TCP; absent: nobody.
  std::optional<base::Endpoint> peer() const;
  /// Octets received, heads and framing included.
  std::uint64_t received_bytes() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // a deadline's handler looks whether it is still there
};

}  // namespace viaduct::http
