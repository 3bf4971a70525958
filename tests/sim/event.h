#pragma once

#include "gossip/stream.h"
#include "tests/sim/simulator.h"

namespace viaduct::sim {

/// The bytes of one stream, both ways, and who reads them.
struct Simulator::Pipe {
  explicit Pipe(const Options::Bytes& bytes)
      : at_acceptor(gossip::StreamSide::dialler, bytes.wire, bytes.keyring),
        at_dialler(gossip::StreamSide::acceptor, bytes.wire, bytes.keyring) {}

  gossip::StreamReader at_acceptor;
  gossip::StreamReader at_dialler;
  bool begun = false;
};

struct Simulator::Event {
  enum class Kind : std::uint8_t { free, tick, packet, request, answer, stream_end, action };
  Kind kind = Kind::free;
  bool damaged = false;
  NodeId node = 0;  ///< where it happens
  NodeId from = 0;
  std::uint32_t generation = 0;  ///< of `node`, for what belongs to one process
  std::uint32_t from_generation = 0;
  gossip::StreamId stream = 0;
  std::vector<gossip::MessagePtr> messages;
  std::shared_ptr<const gossip::StreamMessage> said;
  std::shared_ptr<Pipe> pipe;
  std::shared_ptr<const base::Bytes> bytes;  ///< in place of messages and said
  base::Endpoint source;                     ///< of a packet
  std::function<void()> action;
};

}  // namespace viaduct::sim
