#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "gossip/errors.h"
#include "gossip/message.h"

namespace viaduct::gossip {

/// Reads a message with its type byte, all layers taken off.
/// Octets behind the message are ignored, as memberlist does.
/// @errors truncated, malformed, too_large; unknown_type; unexpected: a type that no message in a
///     datagram has
Decoded<Message> decode_message(base::ByteView bytes);

/// The same for streams.
/// A member that breaks a rule (its name, meta, address, versions, state) is left out and counted,
/// for one bad member must not end all exchanges of a cluster.
/// @param dropped  counts members that are left out.
Decoded<StreamMessage> decode_stream_message(base::ByteView bytes, ErrcCounts& dropped);

/// What precedes the members of a push-pull.
struct PushPullHeader {
  bool join = false;
  std::size_t members = 0;
  std::size_t user_state_octets = 0;
};
/// @param body  begins behind the type byte.
/// @errors as decode_message()
Decoded<PushPullHeader> decode_push_pull_header(base::ByteView body);
/// The length of a user message on a stream.
/// @param body  begins behind the type byte.
Decoded<std::size_t> decode_user_header(base::ByteView body);

/// A compression layer's octets.
/// @param body  begins behind the type byte.
/// @return a view into `body`.
/// @errors malformed: not LZW; truncated
Decoded<base::ByteView> decode_compressed(base::ByteView body);

}  // namespace viaduct::gossip
