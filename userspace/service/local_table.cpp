#include "service/local_table.h"

#include <algorithm>
#include <utility>

namespace viaduct::service {

void LocalTable::expect(const std::string& source) { sources_.try_emplace(source); }

bool LocalTable::replace(const std::string& name, SourceRows rows, base::Time now) {
  if (rows.rows.size() > kMaxRowsPerSource) {
    rows.rejected.push_back({name, std::to_string(rows.rows.size()) +
                                       " backends are more than the " +
                                       std::to_string(kMaxRowsPerSource) +
                                       " that a source may have; the rest is left out"});
    rows.rows.resize(kMaxRowsPerSource);
  }
  Source& source = sources_[name];
  const bool first = !source.last_success;
  const bool changed = first || !(source.rows == rows);
  source.rows = std::move(rows);
  source.last_success = now;
  source.restored = false;
  source.last_error.clear();
  if (changed) revision_++;
  return changed;
}

void LocalTable::restore(const std::string& name, SourceRows rows) {
  Source& source = sources_[name];
  source.rows = std::move(rows);
  source.restored = true;
  revision_++;
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
