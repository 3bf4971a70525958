#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "api/commands.h"
#include "api/metrics.h"
#include "api/routes.h"
#include "api/views.h"
#include "base/result.h"
#include "daemon/config.h"
#include "daemon/io/cluster.h"
#include "daemon/io/dns_view.h"
#include "daemon/io/kernel_dns.h"
#include "daemon/io/master_role.h"
#include "daemon/io/mesos_dns_api.h"
#include "daemon/io/publisher.h"
#include "daemon/io/sources.h"
#include "dataplane/io/data_plane.h"
#include "dataplane/io/link_watch.h"
#include "dns/io/server.h"
#include "http/io/server.h"
#include "service/local_table.h"
#include "service/merger.h"
#include "service/snapshot.h"

namespace viaduct::daemon {

/// viaductd: builds the modules and connects them. All of it runs on the context's thread, DNS
/// workers apart.
class Daemon {
 public:
  /// @param context  outlives the daemon.
  Daemon(boost::asio::io_context& context, Config config);
  ~Daemon();

  /// Starts everything. What can do without something that failed goes on without it and says so.
  /// @errors when nothing useful would run.
  base::Result<void> start();

  /// Stops serving and leaves the kernel as it is: connections and VIPs go on.
  void stop();

 private:
  void start_data_plane();
  void start_kernel_dns();
  void start_mesos_dns_api();
  base::Result<void> start_api();
  void start_cluster();
  base::Result<void> start_master_role();
  api::Commands commands();
  void restore();
  void remember_later();
  void remember();
  void rows_changed(const std::string& source, service::SourceChange change);
  void merge_later();
  void merge_now();
  void links_changed();
  void reconcile_now();
  void reconcile_later();
  api::Views views() const;

  boost::asio::io_context& context_;
  Config config_;
  base::Time started_;
  service::LocalTable table_;
  service::MergeOptions merge_options_;
  std::optional<service::Merger> merger_;
  std::shared_ptr<const service::Snapshot> snapshot_;
  std::unique_ptr<dataplane::DataPlane> plane_;
  std::string plane_error_;
  std::unique_ptr<dataplane::LinkWatch> link_watch_;
  std::unique_ptr<dns::Server> dns_;
  std::unique_ptr<KernelDns> kernel_dns_;  ///< null: dns.kernel or what it needs is off
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<DnsView> dns_view_;
  std::unique_ptr<MesosDnsApi> mesos_dns_api_;
  std::unique_ptr<Sources> sources_;
  std::unique_ptr<MasterRole> master_;  ///< null: this node asks no master
  std::unique_ptr<Cluster> cluster_;
  std::string cluster_error_;
  std::unique_ptr<http::Server> local_http_;  ///< the unix socket, which takes commands too
  std::unique_ptr<http::Server> http_;
  api::Counters api_counters_;
  boost::asio::steady_timer reconcile_timer_;
  boost::asio::steady_timer plane_retry_;
  boost::asio::steady_timer remember_timer_;
  bool merge_posted_ = false;
  bool remember_pending_ = false;  ///< rows have changed since they were written to disk
};

}  // namespace viaduct::daemon
