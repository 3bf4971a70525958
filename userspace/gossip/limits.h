#pragma once

#include <cstddef>

namespace viaduct::gossip {

// What a peer sends is checked against these before anything is allocated for it.

inline constexpr std::size_t kMaxNameOctets = 255;   ///< a node's name
inline constexpr std::size_t kMaxLabelOctets = 255;  ///< a cluster's label; its length is one octet
inline constexpr std::size_t kMaxMetaOctets = 512;   ///< memberlist's own limit
inline constexpr std::size_t kMaxErrorOctets = 1024;          ///< text of a refusal
inline constexpr std::size_t kMaxMembers = 16'384;            ///< in one push-pull
inline constexpr std::size_t kMaxUserStateOctets = 4U << 20;  ///< in one push-pull
inline constexpr std::size_t kMaxUserOctets = 4U << 20;       ///< one user message on a stream

/// Serf's word that a node joins or leaves: a name and a time. It is kept and passed on as it came.
inline constexpr std::size_t kMaxIntentOctets = 512;

/// Layers around a message in a datagram: real senders nest CRC, compression and compound.
inline constexpr int kMaxLayers = 4;
/// All that the compressed parts of one datagram may become.
inline constexpr std::size_t kMaxExpandedPacketOctets = 64U << 10;
/// A datagram that we send, its encryption and label included; memberlist's UDPBufferSize. It fits
/// into one Ethernet frame.
inline constexpr std::size_t kPacketBudget = 1400;
/// The largest payload of a UDP datagram over IPv4.
inline constexpr std::size_t kMaxPacketOctets = 65'507;

/// One message on a stream, as it comes and expanded.
inline constexpr std::size_t kMaxStreamOctets = 32U << 20;
/// A map of fields that holds no other message: a ping, a header, one member of a push-pull.
inline constexpr std::size_t kMaxStreamObjectOctets = 64U << 10;

/// Each key is tried on a packet that none opens.
inline constexpr std::size_t kMaxKeys = 16;

}  // namespace viaduct::gossip
