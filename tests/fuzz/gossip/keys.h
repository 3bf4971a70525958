#pragma once

#include "gossip/keyring.h"
#include "tests/fuzz/check.h"

namespace viaduct::fuzz {

/// A keyring of two keys, or an empty one.
inline const gossip::Keyring& keyring(bool filled) {
  static const gossip::Keyring none;
  static const gossip::Keyring keys = [] {
    gossip::Keyring made;
    for (const char* key : {"0123456789abcdef", "0123456789abcdef01234567"})
      check(made.install(base::as_bytes(key)).has_value(), "a good key");
    return made;
  }();
  return filled ? keys : none;
}

}  // namespace viaduct::fuzz
