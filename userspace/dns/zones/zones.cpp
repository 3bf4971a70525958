#include "dns/zones/zones.h"

#include <iterator>

#include "dns/zones/l4lb.h"

namespace viaduct::dns {

Table::Built build_table(const service::Snapshot& snapshot, const ZoneOptions& options) {
  zones::BuiltZone l4lb = zones::l4lb(snapshot, options);
  Table::Built built = Table::build({&l4lb.zone, 1});
  built.rejected.insert(built.rejected.begin(), std::make_move_iterator(l4lb.rejected.begin()),
                        std::make_move_iterator(l4lb.rejected.end()));
  return built;
}

}  // namespace viaduct::dns
