#include "dns/zones/zones.h"

#include <iterator>
#include <utility>

#include "dns/zones/l4lb.h"
#include "dns/zones/local.h"
#include "dns/zones/reverse.h"

namespace viaduct::dns {

Table::Built build_table(const service::Snapshot& snapshot, const ZoneOptions& options) {
  std::vector<Zone> zones = zones::local(snapshot, options);
  std::vector<base::Error> rejected;
  const auto take = [&](zones::BuiltZone built) {
    zones.push_back(std::move(built.zone));
    std::move(built.rejected.begin(), built.rejected.end(), std::back_inserter(rejected));
  };
  const service::NamedRanges& ranges = options.ranges;
  take(zones::l4lb(snapshot, options));
  for (const auto& [first, last] :
       {std::pair{ranges.min4, ranges.max4}, std::pair{ranges.min6, ranges.max6}})
    if (auto zone = zones::reverse(snapshot, first, last, options)) take(*std::move(zone));
  Table::Built built = Table::build(zones);
  built.rejected.insert(built.rejected.begin(), std::make_move_iterator(rejected.begin()),
                        std::make_move_iterator(rejected.end()));
  return built;
}

}  // namespace viaduct::dns
