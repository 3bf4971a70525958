#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "api/views.h"
#include "base/result.h"
#include "mesos/config.h"
#include "mesos/io/master_watch.h"
#include "mesos/io/zookeeper_leader.h"
#include "metrics/page.h"
#include "service/local_table.h"
#include "service/merger.h"

namespace viaduct::daemon {

/// The source that frameworks and masters are published by.
inline constexpr const char* kMesosMaster = "mesos-master";

/// A node that asks the leading Mesos master: hands all that it says to the merger, for this
/// node's own DNS, and publishes the frameworks and masters, which other nodes can't know. Agents
/// publish their tasks and themselves.
class MasterRole {
 public:
  /// What changed among the rows that other nodes hear of.
  using OnRows = std::function<void(service::SourceChange)>;
  /// Something changed in the merger.
  using OnChange = std::function<void()>;

  /// Announces its source to the table; VIPs do not wait for it.
  MasterRole(boost::asio::io_context& context, const mesos::MasterConfig& config,
             service::LocalTable& table, service::Merger& merger, OnRows on_rows,
             OnChange on_change);

  /// @errors zookeeper's: mesos.zk is no URL.
  base::Result<void> start();
  void stop();

  api::MasterStatus status(base::Time now) const;
  void add_metrics(metrics::Page& page, base::Time now) const;

 private:
  void take(service::MasterChange change);
  void succeed();
  void fail(const std::string& source, std::string error);
  void work_off();
  void publish();
  void look_again();

  boost::asio::io_context& context_;
  mesos::MasterConfig config_;
  service::LocalTable& table_;
  service::Merger& merger_;
  OnRows on_rows_;
  OnChange on_change_;
  mesos::MasterWatch watch_;
  std::unique_ptr<mesos::ZookeeperLeader> leader_;
  boost::asio::steady_timer timer_;
  std::set<service::MesosRow> published_;  ///< frameworks and masters
  std::shared_ptr<const service::SourceRows> rows_ = std::make_shared<const service::SourceRows>();
  bool known_ = false;                         ///< the master has answered
  std::deque<service::MasterChange> waiting_;  ///< pieces that the merger has yet to get
  bool is_shown_ = false;                      ///< and the merger has all that it said first
  bool working_ = false;                       ///< work_off() has been posted
  bool stopped_ = false;
  std::string zookeeper_error_;
};

}  // namespace viaduct::daemon
