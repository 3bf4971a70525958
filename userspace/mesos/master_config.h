#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "config/key.h"
#include "config/values.h"

namespace viaduct::mesos {

/// Masters that may be configured.
inline constexpr std::size_t kMaxConfiguredMasters = 32;

// How a token is told: `Authorization: Bearer TOKEN`, or `Authorization: token=TOKEN`.

inline constexpr std::string_view kBearerTokenScheme = "Bearer";
inline constexpr std::string_view kDcosTokenScheme = "token=";

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
  std::string token_file;  ///< "": none
  std::string token_scheme{kBearerTokenScheme};

  /// Whether this node has the master role.
  bool enabled() const { return !masters.empty() || !zookeeper.empty(); }
};

/// The settings of the master role under [mesos].
const std::vector<config::Key>& master_keys();
/// What these keys must agree on.
const std::vector<config::Rule>& master_rules();

/// @param values  of a schema that has master_keys().
MasterConfig master_from(const config::Values& values);

}  // namespace viaduct::mesos
