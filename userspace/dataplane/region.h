#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/image.h"
#include "lb/weighted.h"

namespace viaduct::dataplane {

/// Slots that a service's table shall have.
/// @param weighted  its backends; those without weight do not count.
std::uint32_t table_size(const ServiceEntry& entry,
                         const std::vector<lb::WeightedBackend>& weighted);

/// A service's region: the table of entry.slot_count slots, then the members, each backend once; of
/// too many an even sample. Without any backend that has an id the slots are empty: they refuse.
lb::Table region_of(const ServiceEntry& entry, const std::vector<lb::WeightedBackend>& weighted);

}  // namespace viaduct::dataplane
