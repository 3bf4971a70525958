#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "mesos/masters.h"
#include "zookeeper/io/session.h"

namespace viaduct::mesos {

/// Follows who leads the masters of a cluster, in the ZooKeeper where they elect it.
/// Runs on the thread of the io_context, which must outlive it.
class ZookeeperLeader {
 public:
  /// At the beginning, after each change, and after a failure is over. When no master is announced,
  /// both parts are empty: keep the last ones, an election takes a while.
  using OnMasters = std::function<void(Masters)>;
  /// The masters told before still stand: ZooKeeper may be gone while the leader leads on.
  using OnFailure = std::function<void(std::string)>;

  /// @param url  "zk://..."; its path is Mesos' own, "/mesos" for most.
  /// @param timeout  of the session.
  ZookeeperLeader(boost::asio::io_context& context, zookeeper::Url url,
                  std::chrono::milliseconds timeout, OnMasters on_masters, OnFailure on_failure);
  ZookeeperLeader(const ZookeeperLeader&) = delete;
  ZookeeperLeader& operator=(const ZookeeperLeader&) = delete;

  /// Call it once.
  void start() { session_.start(); }
  /// After it no callback is called; so after the end of its life.
  void stop() { session_.stop(); }

  const zookeeper::Session::Counters& counters() const { return session_.counters(); }
  bool connected() const { return session_.connected(); }

 private:
  zookeeper::Session session_;
};

}  // namespace viaduct::mesos
