#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "service/local_table.h"
#include "service/master_change.h"
#include "service/name_ticks.h"
#include "service/named_allocation.h"
#include "service/process_merge.h"
#include "service/snapshot.h"
#include "service/task_merge.h"

namespace viaduct::service {

/// Merges rows as they change: each change costs what it touches, not what there is. After any
/// sequence of changes services, names, tasks and notes equal those that merge() makes of the same
/// rows.
class Merger {
 public:
  explicit Merger(MergeOptions options);

  /// Takes what a source changed. Rows that a source has several times count several times.
  /// @param source  orders what is settled by "the first wins".
  /// @param change  removed rows are those of earlier changes.
  void apply(const std::string& source, SourceChange change);

  /// Takes what another node changed among its rows. Of this node's own only the names count: its
  /// rows come from its sources.
  /// @param change  removed rows and names are those of earlier changes.
  void apply_node(const std::string& node, const NodeChange& change);
  /// Takes what the leading Mesos master says is different.
  /// @param known  it has said all that there is.
  void apply_master(MasterChange change, bool known);
  /// What is thought of another node, and where tunnels to it end. Costs that node's rows.
  void set_mask(const std::string& node, Mask mask);
  void set_tunnels(const std::string& node, const NodeTunnels& tunnels);
  /// Another node is gone for good; all its rows were removed.
  void forget_node(const std::string& node);

  /// All rows so far, merged. What did not change is shared with the snapshot before, and if
  /// nothing did, it is the snapshot before; a new one has the next revision.
  std::shared_ptr<const Snapshot> snapshot(bool complete);

 private:
  /// Rows that end up in one VIP, or are refused alike.
  struct GroupKey {
    VipTarget vip;
    bool v6 = false;  ///< the backends' family
    std::uint16_t port = 0;
    base::Protocol protocol = base::Protocol::tcp;

    auto operator<=>(const GroupKey&) const = default;
  };
  struct OwnedRow {
    const Origin* origin;  ///< in origins_
    BackendRow row;
  };
  struct Group {
    std::vector<OwnedRow> rows;            ///< sorted
    std::shared_ptr<const Service> shown;  ///< in the last snapshot; null: none
    std::vector<RejectedRow> rejected;     ///< in the last snapshot
    bool touched = false;
  };
  using Groups = std::map<GroupKey, Group>;
  /// A host port of this node and a VIP that has a backend there.
  using LocalPort = std::tuple<base::Protocol, std::uint16_t, GroupKey>;
  struct Edits;
  struct KnownOrigin {
    Origin origin;
    std::unordered_map<const GroupKey*, std::size_t> groups;  ///< of another node; with its rows
  };
  /// VIPs and families that a name has backends in.
  struct NameUse {
    std::size_t groups4 = 0;
    std::size_t groups6 = 0;
  };

  KnownOrigin& origin_of(const std::string& node, const std::string& source);
  void add(KnownOrigin& origin, BackendRow row);
  void remove(KnownOrigin& origin, const BackendRow& row);
  void touch(Groups::iterator group);
  void touch_all(const KnownOrigin& origin);
  void touch_name(const std::string& name, bool v6);
  void count_local(const GroupKey& key, const BackendRow& row, int by);
  void begin_group(const GroupKey& key);
  void end_group(const GroupKey& key);
  void count_name(const std::string& name, bool v6, int by);
  void place_name(const std::string& name);
  void replace_mappings();
  /// Names that may be shown otherwise than in the last snapshot; touches what depends on them.
  std::set<std::string> settle_names();
  void merge_group(const GroupKey& key, Group& group, Edits& edits);
  bool show_groups(Snapshot& next);
  bool show_names(const std::set<std::string>& touched, Snapshot& next) const;

  MergeOptions options_;
  std::map<std::pair<std::string, std::string>, KnownOrigin> origins_;  ///< by node and source
  Groups groups_;
  std::vector<Groups::iterator> touched_;
  std::map<base::Address, std::size_t> explicit_;  ///< address -> its groups
  std::map<std::string, NameUse> named_;
  NameTicks ticks_;
  std::set<std::string> touched_names_;
  NamedAllocation named4_;
  NamedAllocation named6_;
  std::map<std::string, std::vector<PortMapping>> source_mappings_;
  PortMappings mappings_;
  TaskMerge tasks_;
  ProcessMerge processes_;
  Origin master_;  ///< whose words the next two are
  TaskMerge master_tasks_;
  ProcessMerge master_processes_;
  bool master_known_ = false;
  std::map<LocalPort, std::size_t> local_ports_;  ///< -> number of rows
  std::shared_ptr<const Snapshot> last_;
};

}  // namespace viaduct::service
