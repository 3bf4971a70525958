#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/key.h"
#include "config/values.h"
#include "http/origin.h"
#include "mesos/master_config.h"

namespace viaduct::mesos {

/// Where this node's Mesos agent is and how it is polled, and the masters if it asks them.
struct Config {
  std::optional<http::Origin> agent;  ///< absent: this source is off
  std::chrono::milliseconds poll_min{1'000};
  std::chrono::milliseconds poll_max{5'000};
  std::chrono::milliseconds timeout{5'000};  ///< for one whole request
  std::size_t max_answer_bytes = 64 << 20;
  std::string user;           ///< "": no credentials are sent
  std::string password_file;  ///< read at each poll, so that a password can change
  MasterConfig master;
};

/// The settings under [mesos].
const std::vector<config::Key>& keys();
/// What the keys must agree on.
const std::vector<config::Rule>& rules();

/// @param values  of a schema that has keys().
Config from(const config::Values& values);

}  // namespace viaduct::mesos
