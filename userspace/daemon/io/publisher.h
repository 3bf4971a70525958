#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "daemon/io/kernel_dns.h"
#include "dataplane/io/data_plane.h"
#include "dns/io/server.h"
#include "dns/zones/zones.h"
#include "service/snapshot.h"

namespace viaduct::daemon {

/// Carries snapshots to the sinks in the order that users rely on: what comes or changes is written
/// to the kernel, then DNS gets the names, then what no name leads to any more leaves the kernel.
/// What fails is tried again until it works.
class Publisher {
 public:
  /// @param plane  null: the kernel is not programmed, names are published at once.
  /// @param server  null: no DNS.
  Publisher(boost::asio::io_context& context, dataplane::DataPlane* plane, dns::Server* server,
            dns::Zones zones);

  void publish(std::shared_ptr<const service::Snapshot> snapshot);

  /// Takes a data plane that could only be started later.
  void use(dataplane::DataPlane* plane);
  /// The kernel's answers follow those of the server from now on. Before the first publish().
  void use(KernelDns* kernel) { kernel_ = kernel; }

  /// The table that DNS answers from; null before the first.
  std::shared_ptr<const dns::Table> table() const { return table_; }
  std::shared_ptr<const service::Snapshot> snapshot() const { return wanted_; }
  /// Whether the kernel has yet to be brought to the newest snapshot.
  bool pending() const { return pending_; }

 private:
  void show();
  base::Result<void> write(const std::shared_ptr<const service::Snapshot>& snapshot);
  std::vector<service::VipKey> failed() const;
  void show_names(std::shared_ptr<const service::Snapshot> snapshot);
  void retry_after(std::chrono::seconds delay);
  void show_after_drain();

  dataplane::DataPlane* plane_;
  dns::Server* server_;
  KernelDns* kernel_ = nullptr;  ///< null: the kernel answers no names
  dns::Zones zones_;
  boost::asio::steady_timer retry_;
  boost::asio::steady_timer drain_;
  std::shared_ptr<const service::Snapshot> wanted_;
  std::shared_ptr<const service::Snapshot> written_;  ///< what the kernel was brought to last
  std::shared_ptr<const service::Snapshot> named_;    ///< whose names are in DNS
  std::shared_ptr<const dns::Table> table_;
  bool pending_ = false;
};

}  // namespace viaduct::daemon
