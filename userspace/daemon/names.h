#pragma once

#include <memory>
#include <vector>

#include "service/snapshot.h"

namespace viaduct::daemon {

/// Whether DNS has to be told of a snapshot: names, their addresses or ports, or tasks differ, or
/// it is complete as the one before was not.
/// @param shown  whose names are in DNS; null: none yet.
bool names_differ(const service::Snapshot& next, const service::Snapshot* shown);

/// Whether a name that is in DNS has an address that belongs to somebody else in `next`: then it
/// has to leave DNS before the kernel changes.
bool hands_over(const service::Snapshot& next, const service::Snapshot& shown);

/// The snapshot with only those names and their ports that also `shown` has, at the same addresses,
/// and all tasks, which do without the kernel: what may be in DNS while the kernel goes from
/// `shown` to `next` and can't be relied on.
/// @param shown  null: nothing has been shown yet, so no name remains.
std::shared_ptr<const service::Snapshot> common_names(
    const std::shared_ptr<const service::Snapshot>& next, const service::Snapshot* shown);

/// What the kernel shall show until the names of `next` are in DNS: its services and, of those
/// that the kernel has, those to which names lead that still are there.
/// @param kernel  what the kernel shows; its revision is the result's, unless `next` is.
/// @param shown  whose names are in DNS.
std::shared_ptr<const service::Snapshot> with_leaving(
    const std::shared_ptr<const service::Snapshot>& next, const service::Snapshot& kernel,
    const service::Snapshot& shown);

/// The snapshot without the names of services that could not be written to the kernel.
/// @param failed  keys of those services.
std::shared_ptr<const service::Snapshot> without_failed(
    const std::shared_ptr<const service::Snapshot>& snapshot,
    const std::vector<service::VipKey>& failed);

}  // namespace viaduct::daemon
