#pragma once

#include <vector>

#include "base/bytes.h"
#include "gossip/errors.h"

namespace viaduct::gossip {

/// Most octets and messages of a batch that is read at all.
inline constexpr std::size_t kMaxBatchOctets = 4U << 20;
inline constexpr std::size_t kMaxBatchMessages = 256;

/// Sync messages of one turn: on a stream two nodes speak by turns, and a turn without messages
/// ends the sync.
/// @return a user message: magic, format, kind 6, then each message with its length.
base::Bytes pack_batch(const std::vector<base::Bytes>& messages);
/// @return views into `batch`.
/// @errors Errc::truncated, malformed, unknown_type, too_large.
Decoded<std::vector<base::ByteView>> unpack_batch(base::ByteView batch);

}  // namespace viaduct::gossip
