#include "dns/zones/shared_records.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace viaduct::dns::zones {

void SharedRecords::add(const Record& record) {
  const Name owner = record.owner.folded();
  auto& records = names_[owner];
  const auto known = std::find_if(records.begin(), records.end(),
                                  [&](const Counted& one) { return one.is(record); });
  if (known != records.end()) {
    known->count++;
    return;
  }
  records.push_back({record.type, record.ttl_s, record.data, 1});
  touched_.insert(owner);
}

void SharedRecords::remove(const Record& record) {
  const Name owner = record.owner.folded();
  const auto name = names_.find(owner);
  assert(name != names_.end());
  if (name == names_.end()) return;
  auto& records = name->second;
  const auto known = std::find_if(records.begin(), records.end(),
                                  [&](const Counted& one) { return one.is(record); });
  assert(known != records.end());
  if (known == records.end() || --known->count > 0) return;
  records.erase(known);
  touched_.insert(owner);
}

void SharedRecords::write(TableWriter& writer, std::span<const Name> apexes) {
  for (const Name& owner : std::exchange(touched_, {})) {
    const Name* apex = nullptr;
    for (const Name& one : apexes)
      if (owner.is_within(one) && (!apex || apex->size() < one.size())) apex = &one;
    const auto name = names_.find(owner);
    std::vector<Record> records;
    for (const Counted& one : name->second)
      records.push_back({owner, one.type, one.ttl_s, one.data});
    if (apex) writer.set_name(*apex, owner, std::move(records));
    if (name->second.empty()) names_.erase(name);
  }
}

}  // namespace viaduct::dns::zones
