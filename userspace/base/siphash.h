#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace viaduct::base {

/// As two little-endian words of its 16 octets.
using HashKey = std::array<std::uint64_t, 2>;

/// SipHash-2-4. With a key that is published it is no seal, only the same on all machines and well
/// mixed.
/// Source: Aumasson, Bernstein: SipHash (2012), with its reference vectors.
std::uint64_t siphash(const HashKey& key, ByteView bytes);

}  // namespace viaduct::base
