#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "api/views.h"
#include "dns/config.h"
#include "dns/io/kernel_table.h"
#include "dns/io/server.h"

namespace viaduct::daemon {

/// Keeps what the kernel answers in step with the DNS server: the same table, the addresses that
/// are bound, and a heartbeat that ends when this thread or one of the server's does. The control
/// thread's.
class KernelDns {
 public:
  /// @param server  outlives this.
  KernelDns(boost::asio::io_context& context, dns::Config config, const dns::Server& server);

  /// Takes the maps of the program that the data plane has loaded, also anew.
  void use(const std::string& bpffs);

  /// Shows the kernel a table. Until the first complete one it answers what an earlier process
  /// left, for as long as that one's heartbeat lasts.
  void publish(std::shared_ptr<const dns::Table> table, bool complete);

  /// Ends the kernel's answers at once.
  void stop();

  api::Capability capability() const;
  void add_metrics(metrics::Page& page) const;

 private:
  base::Result<void> open(const std::string& bpffs);
  void show();
  base::Result<void> follow_server();
  void beat();
  void fail(const base::Error& error);

  const dns::Config config_;
  const dns::Server& server_;
  boost::asio::steady_timer timer_;
  std::optional<dns::KernelTable> kernel_;
  std::shared_ptr<const dns::Table> table_;  ///< that the kernel is to answer from
  std::set<base::Endpoint> servers_;         ///< that the kernel answers on
  bool shown_ = false;                       ///< the kernel has table_
  std::string problem_ = "the program is not loaded";
};

}  // namespace viaduct::daemon
