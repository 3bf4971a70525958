#include "service/local_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace viaduct::service {
namespace {

template <class Row>
using Rows = std::span<const Row>;

/// Rows that only one of two lists has.
template <class Row>
struct Difference {
  std::vector<Row> removed;
  std::vector<Row> added;
};

/// How many rows further on the two lists are looked at for where they agree again.
constexpr std::size_t kLookAhead = 4;

/// Steps over rows that were put in, taken out or written over among equal ones.
/// @return false: the lists do not agree again soon.
template <class Row>
bool step_over(Rows<Row>& before, Rows<Row>& after, Difference<Row>& change) {
  const auto take = [](Rows<Row>& rows, std::size_t count, std::vector<Row>& to) {
    to.insert(to.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count));
    rows = rows.subspan(count);
  };
  for (std::size_t sum = 1; sum <= 2 * kLookAhead; sum++) {
    for (std::size_t old = 0; old <= sum; old++) {
      const std::size_t now = sum - old;
      if (old >= before.size() || now >= after.size() || !(before[old] == after[now])) continue;
      take(before, old, change.removed);
      take(after, now, change.added);
      return true;
    }
  }
  return false;
}

template <class Row>
std::vector<const Row*> sorted(Rows<Row> rows) {
  std::vector<const Row*> pointers;
  pointers.reserve(rows.size());
  for (const Row& row : rows) pointers.push_back(&row);
  std::sort(pointers.begin(), pointers.end(),
            [](auto* left, auto* right) { return *left < *right; });
  return pointers;
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  if (to.empty())
    to = std::move(from);
  else
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

template <class Row>
void subtract(const std::vector<const Row*>& from, const std::vector<const Row*>& what,
              std::vector<Row>& rest) {
  std::vector<const Row*> pointers;
  std::set_difference(from.begin(), from.end(), what.begin(), what.end(),
                      std::back_inserter(pointers),
                      [](auto* left, auto* right) { return *left < *right; });
  for (const Row* row : pointers) rest.push_back(*row);
}

/// Takes time in the length of the lists, and little of it while their orders agree.
template <class Row>
Difference<Row> compare(Rows<Row> before, Rows<Row> after) {
  Difference<Row> change;
  while (true) {
    const auto [old, now] = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
    before = before.subspan(static_cast<std::size_t>(old - before.begin()));
    after = after.subspan(static_cast<std::size_t>(now - after.begin()));
    if (!step_over(before, after, change)) break;
  }
  const auto [old, now] =
      std::mismatch(before.rbegin(), before.rend(), after.rbegin(), after.rend());
  before = before.first(static_cast<std::size_t>(before.rend() - old));
  after = after.first(static_cast<std::size_t>(after.rend() - now));
  const auto olds = sorted(before);
  const auto nows = sorted(after);
  subtract(olds, nows, change.removed);
  subtract(nows, olds, change.added);
  return change;
}

/// Cuts off what is over kMaxRowsPerSource, and says so in the part named "".
void limit(SourceParts& parts, const std::string& source) {
  const std::size_t count = parts.row_count();
  if (count <= kMaxRowsPerSource) return;
  std::size_t room = kMaxRowsPerSource;
  const SourceParts::ByName all = parts.by_name();
  for (const auto& [name, part] : all) {
    if (part->rows.size() > room) {
      SourceRows cut{{}, part->rejected, part->port_mappings, part->tasks, part->processes};
      cut.rows.assign(part->rows.begin(), part->rows.begin() + static_cast<std::ptrdiff_t>(room));
      parts.put(name, std::make_shared<const SourceRows>(std::move(cut)));
    }
    room -= std::min(room, part->rows.size());
  }
  const auto whole = parts.by_name().find("");
  SourceRows noted = whole == parts.by_name().end() ? SourceRows{} : *whole->second;
  noted.rejected.push_back({source, std::to_string(count) + " backends are more than the " +
                                        std::to_string(kMaxRowsPerSource) +
                                        " that a source may have; the rest is left out"});
  parts.put("", std::make_shared<const SourceRows>(std::move(noted)));
}

/// Calls `compare(before, after)` for each part that is not shared; one that is missing is empty.
template <class Compare>
void each_difference(const SourceParts& before, const SourceParts& after, Compare compare) {
  static const SourceRows kNone;
  auto old = before.by_name().begin();
  auto now = after.by_name().begin();
  const auto old_end = before.by_name().end();
  const auto now_end = after.by_name().end();
  while (old != old_end || now != now_end) {
    if (now == now_end || (old != old_end && old->first < now->first)) {
      compare(*(old++)->second, kNone);
    } else if (old == old_end || now->first < old->first) {
      compare(kNone, *(now++)->second);
    } else {
      if (old->second != now->second) compare(*old->second, *now->second);
      old++;
      now++;
    }
  }
}

}  // namespace

SourceChange compare_rows(std::span<const BackendRow> before, std::span<const BackendRow> after) {
  auto difference = compare(before, after);
  SourceChange change;
  change.removed = std::move(difference.removed);
  change.added = std::move(difference.added);
  change.any = !change.removed.empty() || !change.added.empty();
  return change;
}

void LocalTable::expect(const std::string& source) { sources_.try_emplace(source); }

SourceChange LocalTable::replace(const std::string& name, SourceParts parts, base::Time now) {
  limit(parts, name);
  Source& source = sources_[name];
  const bool first = !source.last_success;
  SourceChange change = exchange(source, std::move(parts));
  change.any |= first;
  source.last_success = now;
  source.restored = false;
  source.last_error.clear();
  if (change) revision_++;
  return change;
}

SourceChange LocalTable::restore(const std::string& name, SourceParts parts) {
  Source& source = sources_[name];
  SourceChange change = exchange(source, std::move(parts));
  change.any = true;
  source.restored = true;
  revision_++;
  return change;
}

SourceChange LocalTable::exchange(Source& source, SourceParts parts) {
  SourceChange change;
  bool mappings = false;
  each_difference(source.parts, parts, [&](const SourceRows& before, const SourceRows& after) {
    SourceChange part = compare_rows(before.rows, after.rows);
    append(change.removed, std::move(part.removed));
    append(change.added, std::move(part.added));
    auto tasks = compare<TaskRow>(before.tasks, after.tasks);
    append(change.tasks_removed, std::move(tasks.removed));
    append(change.tasks_added, std::move(tasks.added));
    auto processes = compare<MesosRow>(before.processes, after.processes);
    append(change.processes_removed, std::move(processes.removed));
    append(change.processes_added, std::move(processes.added));
    mappings |= before.port_mappings != after.port_mappings;
    change.any |= part.any || mappings || !change.tasks_removed.empty() ||
                  !change.tasks_added.empty() || !change.processes_removed.empty() ||
                  !change.processes_added.empty() || before.rejected != after.rejected;
  });
  source.parts = std::move(parts);
  if (!mappings) return change;
  change.port_mappings.emplace();
  for (const auto& [name, part] : source.parts.by_name())
    append(*change.port_mappings, std::vector(part->port_mappings));
  return change;
}

void LocalTable::fail(const std::string& name, std::string error, base::Time now) {
  Source& source = sources_[name];
  source.last_failure = now;
  source.last_error = std::move(error);
  source.failures++;
}

bool LocalTable::complete() const {
  return std::all_of(sources_.begin(), sources_.end(), [](const auto& entry) {
    return !entry.second.needed || entry.second.last_success || entry.second.restored;
  });
}

}  // namespace viaduct::service
