#pragma once

#include <cstdint>

namespace viaduct::gossip {

/// The first byte of a message or of a layer around one.
enum class MessageType : std::uint8_t {
  ping = 0,
  indirect_ping = 1,
  ack = 2,
  suspect = 3,
  alive = 4,
  dead = 5,
  push_pull = 6,  ///< streams only
  compound = 7,   ///< layer; datagrams only
  user = 8,
  compress = 9,  ///< layer
  encrypt = 10,  ///< layer; streams only
  nack = 11,     ///< datagrams only
  crc = 12,      ///< layer; datagrams only
  refusal = 13,  ///< streams only
  label = 244,   ///< layer
};

}  // namespace viaduct::gossip
