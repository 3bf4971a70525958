#include "service/master_change.h"

#include <utility>

namespace viaduct::service {

std::vector<MasterChange> in_pieces(MasterChange change, std::size_t limit) {
  if (change.size() <= limit) return {std::move(change)};
  std::vector<MasterChange> pieces(1);
  const auto move_rows = [&](auto& rows, auto member) {
    for (auto& row : rows) {
      if (pieces.back().size() == limit) pieces.emplace_back();
      (pieces.back().*member).push_back(std::move(row));
    }
  };
  move_rows(change.added, &MasterChange::added);
  move_rows(change.tasks_added, &MasterChange::tasks_added);
  // Within one piece what goes would go first.
  if (pieces.back()) pieces.emplace_back();
  move_rows(change.tasks_removed, &MasterChange::tasks_removed);
  move_rows(change.removed, &MasterChange::removed);
  if (!pieces.back()) pieces.pop_back();
  return pieces;
}

}  // namespace viaduct::service
