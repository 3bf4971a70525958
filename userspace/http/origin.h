#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace viaduct::http {

/// Where requests go: a TCP host and port, with TLS or without, or a unix socket.
struct Origin {
  std::string host;         ///< a name or an address, IPv6 without brackets; "" for a unix socket
  std::uint16_t port = 80;  ///< TCP only
  std::string socket_path;  ///< "" for TCP
  bool tls = false;         ///< https

  bool is_unix() const { return !socket_path.empty(); }
  /// "http://192.0.2.1:5051", "https://[2001:db8::1]:443" or "unix:/run/x.sock".
  std::string to_string() const;
  /// The value of the Host header.
  std::string host_header() const;

  bool operator==(const Origin&) const = default;
};

/// Reads "http://host[:port]" (port 80), "https://host[:port]" (port 443), "host:port" (http),
/// "unix:/path" or "/path".
/// @errors Errc::bad_origin; the context quotes the text.
base::Result<Origin> parse_origin(std::string_view text);

}  // namespace viaduct::http
