#include "dataplane/region.h"

#include <algorithm>

#include "lb/maglev.h"
#include "lb/round_robin.h"

namespace viaduct::dataplane {
namespace {

/// Whether the slots are turns: then both hooks take them in order.
bool takes_turns(const ServiceEntry& entry) { return entry.sock_pick == Pick::round_robin; }

lb::Table table_of(const ServiceEntry& entry, const std::vector<lb::WeightedBackend>& weighted) {
  if (!takes_turns(entry)) {
    lb::Table table = lb::maglev(weighted, entry.slot_count);
    table.resize(entry.slot_count, 0);
    return table;
  }
  const lb::Table round = lb::round_robin(weighted);
  lb::Table table(entry.slot_count, 0);
  for (std::size_t i = 0; i < table.size() && !round.empty(); i++)
    table[i] = round[i % round.size()];
  return table;
}

void add_members(lb::Table& table, const std::vector<lb::WeightedBackend>& weighted,
                 std::size_t region) {
  const std::size_t room = region - table.size();
  const std::size_t members = std::min(room, weighted.size());
  for (std::size_t i = 0; i < members; i++)
    table.push_back(weighted[i * weighted.size() / members].id);
  table.resize(region, 0);
}

}  // namespace

std::uint32_t table_size(const ServiceEntry& entry,
                         const std::vector<lb::WeightedBackend>& weighted) {
  if (takes_turns(entry)) return static_cast<std::uint32_t>(lb::round_robin(weighted).size());
  const auto live = std::count_if(weighted.begin(), weighted.end(),
                                  [](const auto& one) { return one.weight > 0; });
  return static_cast<std::uint32_t>(lb::maglev_size(static_cast<std::size_t>(live)));
}

lb::Table region_of(const ServiceEntry& entry, const std::vector<lb::WeightedBackend>& weighted) {
  lb::Table table = table_of(entry, weighted);
  add_members(table, weighted, region_size(entry.slot_count));
  return table;
}

}  // namespace viaduct::dataplane
