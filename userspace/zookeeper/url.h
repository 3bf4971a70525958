#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace viaduct::zookeeper {

/// One ZooKeeper server as it stands in a URL.
struct Server {
  std::string host;           ///< a name or an address, IPv6 without brackets
  std::uint16_t port = 2181;  ///< ZooKeeper's own

  std::string to_string() const;
  bool operator==(const Server&) const = default;
};

/// Where a path of a ZooKeeper ensemble is, and as whom it is read.
struct Url {
  std::vector<Server> servers;  ///< one at least
  std::string credentials;      ///< "user:password" for the scheme digest; "": none. Never shown
  std::string path = "/";       ///< absolute, without a slash at its end

  /// "zk://192.0.2.1:2181,[2001:db8::1]:2181/mesos"; with credentials "zk://user@...": no password.
  std::string to_string() const;
  bool operator==(const Url&) const = default;
};

/// Reads "zk://[user:password@]host[:port],host[:port].../path".
/// Credentials end at the last "@" before the first "/" and are taken as they are, not decoded.
/// So a password has no "/", and a path no "@".
/// A missing path, or "/", is the root.
/// @errors Errc::bad_url, with the place; nothing of the credentials is in it.
/// Source: Mesos' zookeeper/url.hpp; ZooKeeper's PathUtils for the path.
base::Result<Url> parse_url(std::string_view text);

}  // namespace viaduct::zookeeper
