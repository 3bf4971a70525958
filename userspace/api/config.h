#pragma once

#include <string>
#include <vector>

#include "config/check.h"
#include "config/key.h"
#include "config/values.h"

namespace viaduct::api {

/// Where the API is served.
struct Config {
  std::string socket;  ///< path of the unix socket, "" = off
  std::string listen;  ///< "address:port" for TCP, "" = off

  static Config from(const config::Values& values) {
    return {values.string("api.socket"), values.string("api.listen")};
  }
};

inline const std::vector<config::Key>& keys() {
  static const std::vector<config::Key> list = {
      {.name = "api.socket",
       .fallback = "/run/viaduct/api.sock",
       .help = "Unix socket of the HTTP API, for root and the group viaduct; empty: off.",
       .check = config::check_socket_path_or_empty},
      {.name = "api.listen",
       .fallback = "127.0.0.1:62080",
       .help = "TCP address and port of the HTTP API, which is read-only and has no passwords; "
               "empty: off.",
       .check = config::check_endpoint_or_empty},
  };
  return list;
}

}  // namespace viaduct::api
