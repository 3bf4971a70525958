#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gossip/message.h"

namespace viaduct::gossip {

/// One datagram; a compound if it has several messages.
struct SendPacket {
  base::Endpoint to;
  std::vector<MessagePtr> messages;
  bool crc = false;  ///< the peer is known to check checksums
};

/// Names a stream of ours for as long as it is open.
using StreamId = std::uint64_t;

/// Dial, say `first`, and hand over what comes back, or the failure.
struct OpenStream {
  StreamId id = 0;
  base::Endpoint to;
  StreamMessage first;
};

/// What a node thinks of another has changed.
struct MemberChanged {
  NodeInfoPtr node;
  NodeState state = NodeState::alive;
  Incarnation incarnation = 0;
  std::string why;  ///< for people: "no answer to probes", "said by node-7"
};

/// Two nodes bear one name.
struct NameConflict {
  NodeInfoPtr known;
  NodeInfoPtr other;
};

/// What a core wants done. The order within a kind is kept.
struct Actions {
  std::vector<SendPacket> packets;
  std::vector<OpenStream> streams;
  std::vector<MemberChanged> changes;
  std::vector<NameConflict> conflicts;

  void clear() { *this = {}; }
};

}  // namespace viaduct::gossip
