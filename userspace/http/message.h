#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"

namespace viaduct::http {

struct BasicAuth {
  std::string user;
  std::string password;
};

/// Files in PEM that TLS needs; they are read at each connection, so that they may be renewed.
struct TlsFiles {
  std::string ca;           ///< certificates that are trusted; "": the system's
  std::string certificate;  ///< of ourselves, with its chain; "": none
  std::string key;          ///< of `certificate`

  bool operator==(const TlsFiles&) const = default;
};

struct Request {
  std::string method = "GET";
  std::string target = "/";  ///< path and query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<BasicAuth> auth;
  TlsFiles tls;  ///< for https
  /// Not empty: the request goes to one of these or nowhere, whatever the host's name leads to. For
  /// requests with credentials.
  std::vector<base::Endpoint> only_to;
};

struct Response {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< in the order received
  std::string body;

  /// Value of the first header of that name (case-insensitive); absent if there is none.
  std::optional<std::string_view> header(std::string_view name) const;
};

}  // namespace viaduct::http
