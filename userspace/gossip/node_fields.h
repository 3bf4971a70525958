#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"
#include "gossip/errors.h"
#include "gossip/message.h"

namespace viaduct::gossip {

/// 4 or 16 octets.
/// @errors malformed
Decoded<base::Address> read_address(base::ByteView octets);

/// What a ping says about where its answer goes, as it stands in the message.
struct SourceFields {
  base::ByteView address;
  std::uint16_t port = 0;
  std::string_view node;

  /// Absent without an address and a port.
  /// @errors malformed
  Decoded<std::optional<PingSource>> read() const;
};

/// What alive messages and members of a push-pull say about a node, as it stands in the message.
struct NodeFields {
  std::string_view name;
  base::ByteView address, meta, versions;
  std::uint16_t port = 0;

  /// Versions that are absent are zeros, which no cluster understands.
  /// @errors malformed: no name, an address or versions of a wrong length; too_large: name or meta
  Decoded<NodeInfoPtr> read() const;
};

}  // namespace viaduct::gossip
