#pragma once

#include <algorithm>
#include <cassert>
#include <map>
#include <memory>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "service/node_rows.h"

namespace viaduct::service {

/// A row as it is shown, with who says so.
template <class Shown>
struct Owned {
  const Origin* origin;
  std::shared_ptr<const Shown> shown;
};

/// The order in which "the first wins": node, source, then the row.
template <class Shown>
bool operator<(const Owned<Shown>& left, const Owned<Shown>& right) {
  return std::tie(left.origin->node, left.origin->source, left.shown->row) <
         std::tie(right.origin->node, right.origin->source, right.shown->row);
}

template <class Kind>
Owned<typename Kind::Shown> owned(const Origin& origin, typename Kind::Row row) {
  using Shown = typename Kind::Shown;
  return {&origin, std::make_shared<const Shown>(Shown{std::move(row), origin.node})};
}

/// Merges rows as they change: each change costs the rows of the groups that it touches.
/// `Kind` says what it merges: `Row` (with an order), `Shown` (of a row and its node), `Group`,
/// `group_of(Row)`, `merge(span<Owned<Shown>>)`: those of a group that are shown, in the order of
/// `place_of(Shown)`, which is unique in a group; `List` and `Key` of the snapshot's list.
template <class Kind>
class RowMerge {
 public:
  using Row = typename Kind::Row;
  using Shown = typename Kind::Shown;
  using List = typename Kind::List;

  /// @param origin  outlives its rows here.
  void add(const Origin& origin, Row row) {
    const auto group = groups_.try_emplace(Kind::group_of(row)).first;
    by_origin_[&origin][&group->first]++;
    auto one = owned<Kind>(origin, std::move(row));
    auto& rows = group->second.rows;
    rows.insert(std::lower_bound(rows.begin(), rows.end(), one), std::move(one));
    touch(group);
  }

  /// @param row  one that was added.
  void remove(const Origin& origin, const Row& row) {
    const auto group = groups_.find(Kind::group_of(row));
    assert(group != groups_.end());
    if (group == groups_.end()) return;
    auto& rows = group->second.rows;
    const auto place = std::lower_bound(rows.begin(), rows.end(), owned<Kind>(origin, row));
    const bool found = place != rows.end() && place->origin == &origin && place->shown->row == row;
    assert(found);
    if (!found) return;
    rows.erase(place);
    const auto groups = by_origin_.find(&origin);
    const auto count = groups->second.find(&group->first);
    if (--count->second == 0) groups->second.erase(count);
    if (groups->second.empty()) by_origin_.erase(groups);
    touch(group);
  }

  /// What is thought of a node has changed: costs the groups of its rows.
  void touch_all(const Origin& origin) {
    const auto groups = by_origin_.find(&origin);
    if (groups == by_origin_.end()) return;
    for (const auto& [group, count] : groups->second) touch(groups_.find(*group));
  }

  /// Brings the last snapshot's list up to date.
  /// @return whether anything differs.
  bool show(List& list) {
    bool any = false;
    typename List::Editor editor(std::move(list));
    for (const auto& touched : std::exchange(touched_, {})) {
      any |= show(touched->second, editor);
      if (touched->second.rows.empty()) groups_.erase(touched);
    }
    list = editor.finish();
    return any;
  }

 private:
  using Pointer = std::shared_ptr<const Shown>;
  struct Rows {
    std::vector<Owned<Shown>> rows;  ///< sorted
    std::vector<Pointer> shown;      ///< in the last snapshot
    bool touched = false;
  };
  using Groups = std::map<typename Kind::Group, Rows>;

  static bool show(Rows& group, typename List::Editor& editor) {
    const auto before = [](const Pointer& left, const Pointer& right) {
      return Kind::place_of(*left) < Kind::place_of(*right);
    };
    bool any = false;
    group.touched = false;
    auto merged = Kind::merge(group.rows);
    auto old = group.shown.begin();
    for (Pointer& one : merged) {
      for (; old != group.shown.end() && before(*old, one); ++old, any = true)
        editor.remove(typename Kind::Key{}(*old));
      const bool known = old != group.shown.end() && !before(one, *old);
      if (known && **old == *one) {
        one = *old;  // what came back as it was stays the object that it was
      } else {
        editor.put(one);
        any = true;
      }
      if (known) ++old;
    }
    for (; old != group.shown.end(); ++old, any = true) editor.remove(typename Kind::Key{}(*old));
    group.shown = std::move(merged);
    return any;
  }

  void touch(typename Groups::iterator group) {
    if (!std::exchange(group->second.touched, true)) touched_.push_back(group);
  }

  Groups groups_;
  std::vector<typename Groups::iterator> touched_;
  /// The groups that an origin has rows in, with their number.
  std::map<const Origin*, std::unordered_map<const typename Kind::Group*, std::size_t>> by_origin_;
};

}  // namespace viaduct::service
