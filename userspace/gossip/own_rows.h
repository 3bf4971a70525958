#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "gossip/own_list.h"
#include "gossip/own_names.h"
#include "gossip/row_codec.h"
#include "gossip/vip_message.h"
#include "service/local_table.h"
#include "service/snapshot.h"

namespace viaduct::gossip {

/// What this node publishes, made from what its sources know. Backends of one endpoint become one
/// row and policies are settled, by the rules of the merge, so that other nodes come to what this
/// one comes to. Costs what changes.
class OwnRows {
 public:
  /// @param node  this node's name.
  explicit OwnRows(std::string node);

  /// Takes what a source changed.
  void apply(const std::string& source, const service::SourceChange& change);
  void set_facts(const NodeFacts& facts) { facts_ = encode_row(facts); }
  /// Takes what another node changed: the ticks of its names are ours too.
  void on_node(const service::NodeChange& change) { names_.on_node(change); }

  /// What has to be published since the last call; in the order of the keys, each once.
  std::vector<RowChange> take(base::Time now);

  /// Rows that no other node can use, or that there is no room for, as of the last take().
  std::vector<service::RejectedRow> rejected() const;

 private:
  struct GroupKey {
    service::VipTarget vip;
    bool v6 = false;  ///< the backends' family
    std::uint16_t port = 0;
    base::Protocol protocol = base::Protocol::tcp;

    auto operator<=>(const GroupKey&) const = default;
  };
  using Published = std::map<std::string, std::string>;  ///< value by key
  struct Group {
    std::vector<std::pair<const service::Origin*, service::BackendRow>> rows;  ///< sorted
    Published published;
    std::vector<service::RejectedRow> rejected;
  };

  void change(const std::string& source, const service::BackendRow& row, bool add);
  Published wanted(const GroupKey& key, Group& group) const;
  bool has_room(const Group& group, const Published& wanted) const;
  void publish(const std::set<GroupKey>& keys, std::vector<RowChange>& changes);
  void publish(const GroupKey& key, Group& group, std::vector<RowChange>& changes);

  service::MergeOptions options_;
  std::map<std::string, service::Origin> origins_;  ///< by source
  std::map<GroupKey, Group> groups_;
  std::set<GroupKey> touched_;
  std::set<GroupKey> withheld_;  ///< there was no room
  OwnNames names_;
  OwnList<service::TaskRow> tasks_;
  OwnList<service::MesosRow> processes_;
  std::optional<WireRow> facts_;
  std::string published_facts_;
  std::size_t vips_ = 0;  ///< published, and their rows and octets
  std::size_t rows_ = 0;
  std::size_t octets_ = 0;
};

}  // namespace viaduct::gossip
