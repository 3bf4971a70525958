#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "gossip/errors.h"

namespace viaduct::gossip {

// LZW with literals of 8 bits and codes of 9 to 12, least significant bit first, as GIF has it and
// as Go's compress/lzw writes it. Code 256 clears the table, 257 ends.

/// The same octets as Go's encoder: a clear code first, greedy, cleared when codes run out.
base::Bytes lzw_compress(base::ByteView plain);

/// @param max  more octets than this are too_large; memory stays within twice that.
/// @errors truncated: no end code; malformed; too_large
Decoded<base::Bytes> lzw_expand(base::ByteView compressed, std::size_t max);

}  // namespace viaduct::gossip
