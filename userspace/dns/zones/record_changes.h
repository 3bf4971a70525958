#pragma once

#include <iterator>
#include <utility>
#include <vector>

#include "base/result.h"
#include "dns/zones/shared_records.h"
#include "dns/zones/zone.h"

namespace viaduct::dns::zones {

inline void append(std::vector<base::Error>& to, std::vector<base::Error> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// Brings the records of a list's elements from one version of it to the next. What comes is added
/// before what goes is removed, so that what stays is not touched.
/// @param build  makes the BuiltRecords of an element's row.
template <class List, class Build>
void change_records(const List& before, const List& after, SharedRecords& records,
                    std::vector<base::Error>& rejected, Build build) {
  using Element = typename List::value_type;
  List::compare(before, after, [&](const Element* old, const Element* now) {
    if (now) {
      BuiltRecords built = build((*now)->row);
      for (const Record& record : built.records) records.add(record);
      append(rejected, std::move(built.rejected));
    }
    if (old)
      for (const Record& record : build((*old)->row).records) records.remove(record);
  });
}

/// The same of records that are few.
/// @param known  the ones of the call before.
inline void change_records(std::vector<Record>& known, BuiltRecords now, SharedRecords& records,
                           std::vector<base::Error>& rejected) {
  append(rejected, std::move(now.rejected));
  if (now.records == known) return;
  for (const Record& record : now.records) records.add(record);
  for (const Record& record : known) records.remove(record);
  known = std::move(now.records);
}

}  // namespace viaduct::dns::zones
