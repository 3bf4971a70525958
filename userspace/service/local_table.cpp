#include "service/local_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace viaduct::service {
namespace {

using Rows = std::span<const BackendRow>;

/// How many rows further on the two lists are looked at for where they agree again.
constexpr std::size_t kLookAhead = 4;

/// Steps over rows that were put in, taken out or written over among equal ones.
/// @return false: the lists do not agree again soon.
bool step_over(Rows& before, Rows& after, SourceChange& change) {
  const auto take = [](Rows& rows, std::size_t count, std::vector<BackendRow>& to) {
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

std::vector<const BackendRow*> sorted(Rows rows) {
  std::vector<const BackendRow*> pointers;
  pointers.reserve(rows.size());
  for (const BackendRow& row : rows) pointers.push_back(&row);
  std::sort(pointers.begin(), pointers.end(),
            [](auto* left, auto* right) { return *left < *right; });
  return pointers;
}

void subtract(const std::vector<const BackendRow*>& from,
              const std::vector<const BackendRow*>& what, std::vector<BackendRow>& rest) {
  std::vector<const BackendRow*> pointers;
  std::set_difference(from.begin(), from.end(), what.begin(), what.end(),
                      std::back_inserter(pointers),
                      [](auto* left, auto* right) { return *left < *right; });
  for (const BackendRow* row : pointers) rest.push_back(*row);
}

}  // namespace

SourceChange compare_rows(Rows before, Rows after) {
  SourceChange change;
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
  change.any = !change.removed.empty() || !change.added.empty();
  return change;
}

void LocalTable::expect(const std::string& source) { sources_.try_emplace(source); }

SourceChange LocalTable::replace(const std::string& name, SourceRows rows, base::Time now) {
  if (rows.rows.size() > kMaxRowsPerSource) {
    rows.rejected.push_back({name, std::to_string(rows.rows.size()) +
                                       " backends are more than the " +
                                       std::to_string(kMaxRowsPerSource) +
                                       " that a source may have; the rest is left out"});
    rows.rows.resize(kMaxRowsPerSource);
  }
  Source& source = sources_[name];
  const bool first = !source.last_success;
  SourceChange change = exchange(source, std::move(rows));
  change.any |= first;
  source.last_success = now;
  source.restored = false;
  source.last_error.clear();
  if (change) revision_++;
  return change;
}

SourceChange LocalTable::restore(const std::string& name, SourceRows rows) {
  Source& source = sources_[name];
  SourceChange change = exchange(source, std::move(rows));
  change.any = true;
  source.restored = true;
  revision_++;
  return change;
}

SourceChange LocalTable::exchange(Source& source, SourceRows rows) {
  SourceChange change = compare_rows(source.rows.rows, rows.rows);
  change.any |= source.rows.rejected != rows.rejected;
  if (source.rows.port_mappings != rows.port_mappings) {
    change.port_mappings = rows.port_mappings;
    change.any = true;
  }
  source.rows = std::move(rows);
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
    return entry.second.last_success || entry.second.restored;
  });
}

}  // namespace viaduct::service
