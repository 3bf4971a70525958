#include "dns/zones/shared_records.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/bytes.h"

namespace viaduct::dns::zones {

bool SharedRecords::Counted::is(const Record& record) const {
  return type == record.type && data == base::as_text(record.data);
}

void SharedRecords::touch(Names::value_type& name) {
  if (!std::exchange(name.second.touched, true)) touched_.push_back(&name);
}

void SharedRecords::add(const Record& record) {
  Names::value_type& name = *names_.try_emplace(record.owner.folded()).first;
  auto& records = name.second.records;
  const auto known = std::find_if(records.begin(), records.end(),
                                  [&](const Counted& one) { return one.is(record); });
  if (known != records.end()) {
    known->count++;
    return;
  }
  records.push_back({record.type, record.ttl_s, std::string(base::as_text(record.data)), 1});
  touch(name);
}

void SharedRecords::remove(const Record& record) {
  const auto name = names_.find(record.owner.folded());
  assert(name != names_.end());
  if (name == names_.end()) return;
  auto& records = name->second.records;
  const auto known = std::find_if(records.begin(), records.end(),
                                  [&](const Counted& one) { return one.is(record); });
  assert(known != records.end());
  if (known == records.end() || --known->count > 0) return;
  records.erase(known);
  touch(*name);
}

void SharedRecords::write(TableWriter& writer, std::span<const Name> apexes) {
  for (Names::value_type* touched : std::exchange(touched_, {})) {
    auto& [owner, kept] = *touched;
    kept.touched = false;
    const Name* apex = nullptr;
    for (const Name& one : apexes)
      if (owner.is_within(one) && (!apex || apex->size() < one.size())) apex = &one;
    std::vector<Record> records;
    records.reserve(kept.records.size());
    for (const Counted& one : kept.records)
      records.push_back({owner, one.type, one.ttl_s, {one.data.begin(), one.data.end()}});
    if (apex) writer.set_name(*apex, owner, std::move(records));
    if (kept.records.empty()) names_.erase(names_.find(owner));
  }
}

}  // namespace viaduct::dns::zones
