#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "gossip/store.h"

namespace viaduct::gossip {

/// All that a table knows of members and of owners gone, for a file: a node that starts while it
/// reaches nobody serves what it last knew. Of our own rows only the version is in it, so that the
/// next life begins with a larger epoch.
base::Bytes write_state(const Store& store, base::Time now);

/// Puts the records of a state file into a new table. One that is over a limit is left out.
/// @param age  of the file, as far as it is known.
/// @return how many owners were restored.
/// @errors Errc::truncated, malformed, too_large: nothing was restored.
base::Result<std::size_t> read_state(base::ByteView file, base::Duration age, Store& store,
                                     base::Time now);

/// What a state file ends in: a hash of all that is before it, so that damage is found.
std::uint64_t state_seal(base::ByteView body);

}  // namespace viaduct::gossip
