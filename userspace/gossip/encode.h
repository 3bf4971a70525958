#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "gossip/message.h"

namespace viaduct::gossip {

/// A message with its type byte, as it stands in a datagram within all layers.
void encode(const Message& message, base::Bytes& out);
/// Octets that encode() adds.
std::size_t encoded_octets(const Message& message);

/// The same for streams.
void encode(const StreamMessage& message, base::Bytes& out);

/// The compression layer around octets that are compressed already.
void encode_compressed(base::ByteView compressed, base::Bytes& out);

}  // namespace viaduct::gossip
