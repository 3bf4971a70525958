#include "daemon/names.h"

#include <algorithm>
#include <set>
#include <utility>

namespace viaduct::daemon {
namespace {

template <class Keep>
std::shared_ptr<const service::Snapshot> filtered(
    const std::shared_ptr<const service::Snapshot>& snapshot, Keep keep) {
  if (std::all_of(snapshot->names.begin(), snapshot->names.end(), keep)) return snapshot;
  auto fewer = std::make_shared<service::Snapshot>(*snapshot);
  std::erase_if(fewer->names, [&](const service::NamedVip& name) { return !keep(name); });
  return fewer;
}

}  // namespace

std::shared_ptr<const service::Snapshot> common_names(
    const std::shared_ptr<const service::Snapshot>& next, const service::Snapshot* shown) {
  return filtered(next, [&](const service::NamedVip& name) {
    if (!shown) return false;
    const auto found = std::lower_bound(
        shown->names.begin(), shown->names.end(), name.name,
        [](const auto& entry, const std::string& wanted) { return entry.name < wanted; });
    return found != shown->names.end() && *found == name;
  });
}

std::shared_ptr<const service::Snapshot> without_failed(
    const std::shared_ptr<const service::Snapshot>& snapshot,
    const std::vector<service::VipKey>& failed) {
  std::set<base::Address> addresses;
  for (const service::VipKey& key : failed) addresses.insert(key.address);
  return filtered(snapshot, [&](const service::NamedVip& name) {
    return std::none_of(name.addresses.begin(), name.addresses.end(),
                        [&](const base::Address& address) { return addresses.contains(address); });
  });
}

}  // namespace viaduct::daemon
