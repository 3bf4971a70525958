#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "gossip/errors.h"
#include "gossip/keyring.h"
#include "gossip/limits.h"
#include "gossip/message.h"
#include "gossip/wire.h"

namespace viaduct::gossip {

/// What a datagram held. One bad part never loses the others.
struct OpenedPacket {
  std::vector<Message> messages;
  ErrcCounts dropped;  ///< parts of it, or all of it
};

/// Takes a datagram's layers off: label, encryption, checksum, then compounds and compression in
/// each other, at most kMaxLayers deep.
OpenedPacket open_packet(base::ByteView datagram, const WireOptions& options,
                         const Keyring& keyring);

struct SealedPackets {
  std::vector<base::Bytes> datagrams;
  std::size_t too_large = 0;  ///< messages that fit into no datagram, and are not sent
};

/// Makes datagrams of messages, in their order: as few as stay within `budget` and 255 messages.
/// A message over the budget travels alone.
/// @param with_crc  for peers that are known to check it.
/// @param nonces  asked once a datagram that is encrypted.
SealedPackets seal_packet(std::span<const MessagePtr> messages, bool with_crc,
                          const WireOptions& options, const Keyring& keyring,
                          const NonceSource& nonces, std::size_t budget = kPacketBudget);

/// Octets that a compound takes besides its messages; and a message's besides encoded_octets().
inline constexpr std::size_t kCompoundOctets = 2, kCompoundPartOctets = 2;
/// Octets in a datagram for a compound or a message, the other layers taken off.
std::size_t packet_room(bool with_crc, const WireOptions& options, const Keyring& keyring,
                        std::size_t budget = kPacketBudget);

}  // namespace viaduct::gossip
