#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "config/key.h"
#include "config/values.h"
#include "gossip/row_codec.h"
#include "gossip/timing.h"
#include "gossip/wire.h"

namespace viaduct::gossip {

/// The port of gossip, UDP and TCP, where none is named; memberlist's.
inline constexpr std::uint16_t kDefaultPort = 7946;

/// The settings under [gossip].
const std::vector<config::Key>& keys();
/// What no key can judge alone.
std::vector<config::Rule> rules();

struct Config {
  bool enabled = false;
  /// Where others reach it; an unspecified address: node.address.
  base::Endpoint listen{{}, kDefaultPort};
  std::vector<base::Endpoint> seeds;
  std::string keyring;  ///< path; "": no keys
  bool insecure = false;
  std::string state_folder;  ///< "": nothing is remembered
  WireOptions wire;
  Timing timing;
  RowRules rules;
};

/// @param values  of a schema that has keys().
Config from(const config::Values& values);

}  // namespace viaduct::gossip
