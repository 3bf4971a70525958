#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/result.h"
#include "http/message.h"

namespace viaduct::http {

/// A connection over TCP or a unix socket, plain or within TLS.
class Socket {
 public:
  explicit Socket(const boost::asio::any_io_executor& executor) : socket_(executor) {}

  /// Connects over TCP, with keep-alive probes: a peer that is gone without a word is found out
  /// after a minute.
  boost::asio::awaitable<boost::system::error_code> connect(base::Endpoint to);
  boost::asio::awaitable<boost::system::error_code> connect_unix(std::string path);

  /// Speaks TLS 1.2 or later from now on, with a peer whose certificate is trusted and is for
  /// `host`, a name (which the peer is told, too: SNI) or an address.
  /// @errors Errc::bad_tls_files, bad_certificate, tls_failed, or the connection's own; the context
  /// says what is wrong, or is empty.
  boost::asio::awaitable<base::Result<void>> start_tls(const TlsFiles& files, std::string host);

  boost::asio::awaitable<boost::system::error_code> write(std::string_view octets);
  /// Some octets, and how many; or why there are none. Within TLS an end without the peer's
  /// farewell is stream_truncated, not eof.
  boost::asio::awaitable<std::pair<boost::system::error_code, std::size_t>> read_some(
      boost::asio::mutable_buffer into);

  /// Ends what is under way: it gives operation_aborted or bad_descriptor.
  void close();

 private:
  using Plain = boost::asio::generic::stream_protocol::socket;

  Plain socket_;
  std::unique_ptr<boost::asio::ssl::context> context_;
  std::unique_ptr<boost::asio::ssl::stream<Plain&>> tls_;
};

}  // namespace viaduct::http
