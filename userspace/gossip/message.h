#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace viaduct::gossip {

/// A node's own version of what is said about its life.
using Incarnation = std::uint32_t;
/// Joins a ping with its answer.
using Sequence = std::uint32_t;

/// The versions that a node speaks: memberlist's "Vsn", six bytes on the wire in this order.
struct Versions {
  std::uint8_t protocol_min = 1;
  std::uint8_t protocol_max = 5;
  std::uint8_t protocol = 2;
  std::uint8_t delegate_min = 2;
  std::uint8_t delegate_max = 5;
  std::uint8_t delegate = 4;

  bool operator==(const Versions&) const = default;
};

/// What a node says about itself, its life apart. Immutable and shared by all that mention it.
struct NodeInfo {
  std::string name;
  base::Endpoint endpoint;
  base::Bytes meta;
  Versions versions;

  bool operator==(const NodeInfo&) const = default;
};
using NodeInfoPtr = std::shared_ptr<const NodeInfo>;

enum class NodeState : std::uint8_t { alive = 0, suspect = 1, dead = 2, left = 3 };
/// "alive", "suspect", "dead", "left".
std::string_view to_string(NodeState state);

/// The sender of a ping, where the answer goes; absent from old senders.
struct PingSource {
  base::Endpoint endpoint;
  std::string node;

  bool operator==(const PingSource&) const = default;
};

struct Ping {
  Sequence sequence = 0;
  std::string node;  ///< whom it is for; "": whoever gets it
  std::optional<PingSource> source;

  bool operator==(const Ping&) const = default;
};

/// A request to ping `target` and to pass on its answer.
struct IndirectPing {
  Sequence sequence = 0;
  base::Endpoint target;
  std::string node;
  bool nack = false;  ///< whether the requester wants to hear that there was no answer
  std::optional<PingSource> source;

  bool operator==(const IndirectPing&) const = default;
};

struct Ack {
  Sequence sequence = 0;
  base::Bytes payload;

  bool operator==(const Ack&) const = default;
};

struct Nack {
  Sequence sequence = 0;

  bool operator==(const Nack&) const = default;
};

struct Suspect {
  Incarnation incarnation = 0;
  std::string node;
  std::string from;

  bool operator==(const Suspect&) const = default;
};

/// `from` == `node`: it left by itself.
struct Dead {
  Incarnation incarnation = 0;
  std::string node;
  std::string from;

  bool operator==(const Dead&) const = default;
};

struct Alive {
  Incarnation incarnation = 0;
  NodeInfoPtr node;  ///< never null

  bool operator==(const Alive& other) const {
    return incarnation == other.incarnation && *node == *other.node;
  }
};

/// Bytes of the layer above.
struct User {
  base::Bytes bytes;

  bool operator==(const User&) const = default;
};

/// One member in a push-pull.
struct MemberState {
  NodeInfoPtr node;  ///< never null
  Incarnation incarnation = 0;
  NodeState state = NodeState::alive;

  bool operator==(const MemberState& other) const {
    return incarnation == other.incarnation && state == other.state && *node == *other.node;
  }
};

/// A full exchange of member lists, both ways on one stream.
struct PushPull {
  bool join = false;
  std::vector<MemberState> members;
  base::Bytes user_state;

  bool operator==(const PushPull&) const = default;
};

/// What an acceptor answers to a stream that it cannot read.
struct Refusal {
  std::string error;

  bool operator==(const Refusal&) const = default;
};

/// All that comes in a datagram.
using Message = std::variant<Ping, IndirectPing, Ack, Nack, Suspect, Dead, Alive, User>;
/// Broadcasts are shared by the queues and packets that hold them.
using MessagePtr = std::shared_ptr<const Message>;

/// All that comes on a stream.
using StreamMessage = std::variant<Ping, Ack, PushPull, User, Refusal>;

}  // namespace viaduct::gossip
