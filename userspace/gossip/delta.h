#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "gossip/errors.h"
#include "gossip/vip_message.h"

namespace viaduct::gossip {

/// All user messages of Viaduct begin so; Serf's begin with 0 to 9.
inline constexpr std::uint8_t kVipMagic = 0xd6;
inline constexpr std::uint8_t kVipFormat = 1;

/// What follows magic and format.
enum class VipKind : std::uint8_t {
  delta = 1,
  digest = 2,
  versions = 3,
  pull = 4,
  rows = 5,
  batch = 6,  ///< several of the others, on a stream (sync_batch.h)
};

/// @errors Errc::unknown_type: no user message of Viaduct, or of a later format.
Decoded<VipKind> vip_kind(base::ByteView message);

/// Whose rows a delta is about, without a look at the rest.
/// @errors Errc::truncated, unknown_type.
Decoded<OwnerId> delta_owner(base::ByteView message);

/// As a user message, without the type octet of memberlist. A list that does not fit is left out:
/// the delta becomes a partial one.
/// @param budget  octets that there is room for; a partial delta needs about 40.
base::Bytes encode_delta(const Delta& delta, std::size_t budget);
/// @errors Errc::truncated, malformed, unknown_type, too_large.
Decoded<Delta> decode_delta(base::ByteView message);

/// One delta that says what both say, for a node that still sends the older one when the newer
/// comes. If it would not fit, or they do not meet, it is the newer alone; who lacks the older one
/// then finds the gap.
/// @param older, newer  of one owner; what order they are in is found out.
Delta join(const Delta& older, const Delta& newer, std::size_t budget);

}  // namespace viaduct::gossip
