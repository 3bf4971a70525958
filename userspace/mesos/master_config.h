#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/address.h"

namespace viaduct::mesos {

/// How the leading master is found and asked.
struct MasterConfig {
  std::vector<base::Endpoint> masters;  ///< in their order
  std::string zookeeper;  ///< "zk://[user:password@]host:port,host:port/path"; "": none
  std::chrono::milliseconds zookeeper_timeout{10'000};  ///< of a session
  std::chrono::milliseconds refresh{60'000};  ///< between polls of a master without event stream
  std::chrono::milliseconds timeout{30'000};  ///< without any octet of an answer
  std::size_t max_answer_bytes = 512 << 20;   ///< of one record, or of one state
  std::chrono::milliseconds hold{600'000};    ///< MasterState::Options::hold
  bool tls = false;
  std::string ca_file;           ///< "": the system's
  std::string certificate_file;  ///< of this client; "": none
  std::string key_file;
  std::string user;  ///< basic authentication; "": none
  std::string password_file;
  std::string token_file;  ///< for `Authorization: <scheme> <token>`; "": none

  /// Whether this node has the master role.
  bool enabled() const { return !masters.empty() || !zookeeper.empty(); }
};

}  // namespace viaduct::mesos
