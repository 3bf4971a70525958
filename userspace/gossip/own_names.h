#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "gossip/table_limits.h"
#include "gossip/vip_message.h"
#include "service/name_ticks.h"
#include "service/node_rows.h"

namespace viaduct::gossip {

/// Named VIPs that one node may speak of at a time, those without backends included.
inline constexpr std::size_t kMaxNameRows = 2 * kMaxVipsPerOwner;
inline constexpr std::size_t kMaxNameOctetsPerOwner = kMaxOctetsPerOwner / 8;

/// The named VIPs that this node publishes, with their ticks. A new name gets the largest tick seen
/// plus one; one that others have gets the smallest of theirs, then and later. A name whose last
/// backend goes stays for kRetention, so that it has its address when it comes back.
class OwnNames {
 public:
  /// A VIP of the name is published, or no more; a name may have several.
  void use(const std::string& name, bool begin);
  /// Takes what another node changed.
  void on_node(const service::NodeChange& change);
  /// Appends what has to be published since the last call.
  void take(base::Time now, std::vector<RowChange>& changes);

 private:
  struct Own {
    service::Tick tick = service::kNoTick;  ///< kNoTick: it has none yet
    std::size_t vips = 0;
    std::optional<base::Time> idle;  ///< since when it has none
    std::optional<service::Tick> published;
  };

  service::Tick tick_for(const std::string& name) const;
  void forget_idle(base::Time now, std::vector<RowChange>& changes);

  std::map<std::string, Own> names_;
  std::set<std::string> touched_;
  std::multimap<base::Time, std::string> idle_;
  service::NameTicks others_;
  service::Tick largest_ = 0;  ///< of our own
  std::size_t rows_ = 0;       ///< published, and their octets
  std::size_t octets_ = 0;
};

}  // namespace viaduct::gossip
