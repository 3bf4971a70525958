#pragma once

#include <string>

#include "gossip/keyring.h"

namespace viaduct::gossip {

/// How a cluster wraps what it sends; all members agree on it, save while it is being changed.
struct WireOptions {
  std::string label;  ///< tells clusters apart, at most kMaxLabelOctets; "": none
  bool compress = true;
  /// While encryption is being introduced these are false: first everybody gets keys, then
  /// everybody encrypts, then everybody insists.
  bool verify_incoming = true;  ///< refuse plain text if there are keys
  bool verify_outgoing = true;  ///< encrypt if there are keys
};

}  // namespace viaduct::gossip
