#pragma once

#include <memory>

#include "service/snapshot.h"

namespace viaduct::daemon {

/// The snapshot with only those names that also `shown` has, at the same addresses: what may be in
/// DNS while the kernel goes from `shown` to `next`. A name that goes leaves DNS before the kernel,
/// one that comes enters it after.
/// @param shown  null: nothing has been shown yet, so no name remains.
std::shared_ptr<const service::Snapshot> common_names(
    const std::shared_ptr<const service::Snapshot>& next, const service::Snapshot* shown);

/// The snapshot without the names of services that could not be written to the kernel.
/// @param failed  keys of those services.
std::shared_ptr<const service::Snapshot> without_failed(
    const std::shared_ptr<const service::Snapshot>& snapshot,
    const std::vector<service::VipKey>& failed);

}  // namespace viaduct::daemon
