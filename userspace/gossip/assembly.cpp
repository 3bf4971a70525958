#include "gossip/assembly.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "gossip/table_limits.h"

namespace viaduct::gossip {

std::optional<std::vector<WireRow>> Assembly::add(RowsPart part, base::Time now) {
  const OwnerId owner = part.version.owner;
  if (part.offset == 0) {
    open_.erase(owner);
    if (part.rows.size() == part.total) return std::move(part.rows);
    if (open_.size() == kMaxAssemblies)
      open_.erase(std::min_element(open_.begin(), open_.end(), [](auto& one, auto& other) {
        return one.second.last < other.second.last;
      }));
    open_.emplace(owner, Open{part.version.version, 0, {}, now});
  }
  const auto found = open_.find(owner);
  if (found == open_.end()) return std::nullopt;
  Open& open = found->second;
  for (const WireRow& row : part.rows) open.octets += row.size();
  const bool fits =
      open.version == part.version.version && open.rows.size() == part.offset &&
      open.octets <= kMaxOctetsPerOwner &&
      (open.rows.empty() || part.rows.empty() || open.rows.back().key() < part.rows.front().key());
  if (!fits) {
    open_.erase(found);
    return std::nullopt;
  }
  std::move(part.rows.begin(), part.rows.end(), std::back_inserter(open.rows));
  open.last = now;
  if (open.rows.size() < part.total) return std::nullopt;
  std::vector<WireRow> rows = std::move(open.rows);
  open_.erase(found);
  return rows;
}

void Assembly::expire(base::Time now) {
  std::erase_if(open_,
                [&](const auto& open) { return now - open.second.last > kAssemblyPatience; });
}

}  // namespace viaduct::gossip
