#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/io/fd.h"
#include "base/result.h"
#include "base/time.h"
#include "dataplane/config.h"
#include "dataplane/drain.h"
#include "dataplane/io/host_device.h"
#include "dataplane/io/maps.h"
#include "dataplane/io/programs.h"
#include "dataplane/io/reaper.h"
#include "dataplane/ledger.h"
#include "dataplane/plan.h"
#include "service/snapshot.h"

namespace viaduct::dataplane {

/// The kernel's side of a node: programs, maps, the host device and its routes. What it sets up
/// outlives the process; the next one takes it over as it stands.
class DataPlane {
 public:
  /// Takes over or makes everything.
  /// @param addresses  the node's service addresses (DNS), given to the host device.
  /// @errors what makes the data plane useless: no BPF file system, programs that don't load.
  /// Lesser faults are capabilities.
  static base::Result<DataPlane> start(const Config& config,
                                       const std::vector<base::Address>& addresses);

  /// Makes the kernel show a snapshot: routes that go, backends, slots, services, routes that come.
  /// @errors the first write that failed; calling again with the same snapshot goes on from there.
  base::Result<void> apply(std::shared_ptr<const service::Snapshot> snapshot, base::Time now);

  /// Reads everything back and repairs what differs from the last snapshot: maps, routes, device,
  /// attachments.
  base::Result<void> reconcile(base::Time now);

  /// Attaches programs to links that match the configuration and have none.
  base::Result<void> scan_links();

  /// When apply() has to be called again, with the same snapshot, because a backend has drained.
  std::optional<base::Time> next_drain() const { return drains_.next(); }

  /// Whether the host device is the one that was set up: false after somebody deleted it, until the
  /// next reconcile().
  bool has_host_device() const;

  /// Whether the program that answers DNS is there, with its maps.
  bool has_dns() const { return programs_.has_dns(); }

  struct Status {
    std::uint64_t applied_revision = 0;
    std::string last_error;     ///< "" when the kernel shows the last snapshot
    std::uint64_t writes = 0;   ///< operations done since the start
    std::uint64_t repairs = 0;  ///< operations that a reconcile found missing
    std::vector<PlanProblem> problems;
    std::vector<std::string> links;  ///< network devices with our programs
  };
  const Status& status() const { return status_; }
  std::vector<Capability> capabilities() const;
  /// What became of sockets whose backend was removed; nothing where the kernel cannot destroy any.
  Reaper::Stats reaped() const { return reaper_ ? reaper_->stats() : Reaper::Stats{}; }
  const Maps& maps() const { return maps_; }
  const Image& image() const { return image_; }

 private:
  DataPlane(Config config, base::Fd lock, HostDevice device, Programs programs, Maps maps,
            Image image);
  base::Result<void> attach_sockets();
  base::Result<void> attach_links(bool again);
  void start_reaper();
  base::Result<void> restore_device();
  base::Result<void> reread();
  base::Result<std::size_t> write_plan(const service::Snapshot& snapshot,
                                       const service::Snapshot* known, base::Time now);
  bool undo(const ServiceEntry& refused, base::Time now);
  base::Result<std::size_t> remove_stale_routes(const std::set<base::Address>& stale);
  base::Result<std::size_t> add_missing_routes(const std::set<base::Address>& missing);
  void list_unrouted();
  base::Result<std::size_t> show(bool from_scratch, base::Time now);
  void tell_problems(const std::vector<PlanProblem>& before) const;

  Config config_;
  std::vector<base::Address> addresses_;
  base::Fd lock_;
  HostDevice device_;
  Programs programs_;
  Maps maps_;
  Image image_;
  Ledger ledger_;
  std::set<base::Address> routes_;
  std::map<base::Address, std::string> unrouted_;  ///< VIPs whose route is refused, and why
  std::shared_ptr<const service::Snapshot> wanted_;
  Drains drains_;                                   ///< in step with wanted_
  std::shared_ptr<const service::Snapshot> known_;  ///< what image_ shows; null: unknown
  std::set<service::VipKey> expired_;               ///< their former regions go with the next plan
  std::vector<PlanProblem> unsettled_;              ///< what it does not show of known_
  base::Time retry_unsettled_at_{};
  std::vector<Capability> capabilities_;
  std::set<std::uint32_t> default_links_;  ///< uplinks, when the configuration names none
  std::set<std::uint32_t> attached_;
  bool forget_ = false;       ///< the maps hold something else than planned, nobody knows what
  bool has_sockets_ = false;  ///< the socket programs could be attached at the start
  std::unique_ptr<Reaper> reaper_;  ///< null: the capabilities say why
  Status status_;
};

}  // namespace viaduct::dataplane
