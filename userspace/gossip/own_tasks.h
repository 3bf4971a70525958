#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gossip/table_limits.h"
#include "gossip/vip_message.h"
#include "service/local_table.h"

namespace viaduct::gossip {

/// Running tasks that one node may publish.
inline constexpr std::size_t kMaxTaskRows = 2'048;
inline constexpr std::size_t kMaxTaskOctetsPerOwner = kMaxOctetsPerOwner / 4 - 2 * kMaxValueOctets;

/// The running tasks that this node publishes, for DNS. Costs what changes.
class OwnTasks {
 public:
  /// @param node  this node's name.
  explicit OwnTasks(std::string node) : node_(std::move(node)) {}

  /// Takes what a source changed.
  void apply(const std::string& source, const service::SourceChange& change);
  /// Appends what has to be published since the last call.
  void take(std::vector<RowChange>& changes);
  /// Appends tasks that can't be rows, or that there is no room for, as of the last take().
  void rejected(std::vector<service::RejectedRow>& all) const;

 private:
  struct Own {
    /// With their sources; the first counts, as in the merge.
    std::multiset<std::pair<std::string, service::TaskRow>> rows;
    std::optional<std::string> published;  ///< the value
    std::optional<service::RejectedRow> rejected;
  };
  using ByKey = std::map<std::string, Own>;

  void publish(const std::set<std::string>& keys, std::vector<RowChange>& changes);
  /// @return the value that a task should have; notes why there is none.
  std::optional<std::string> wanted(const std::string& key, Own& own);

  std::string node_;
  ByKey tasks_;
  std::set<std::string> touched_;
  std::set<std::string> withheld_;  ///< there was no room
  std::size_t rows_ = 0;            ///< published, and their octets
  std::size_t octets_ = 0;
};

}  // namespace viaduct::gossip
