#pragma once

#include <string>

#include "base/address.h"

namespace viaduct::test {

/// Whether Debian's ZooKeeper and a Java for it are installed.
bool has_zookeeper();

/// A ZooKeeper server on a loopback address of its own, with its data in a temporary folder; ends
/// with its owner, or this process. Sessions of one second and more.
class ZookeeperServer {
 public:
  /// Does not start it.
  ZookeeperServer();
  ~ZookeeperServer();
  ZookeeperServer(const ZookeeperServer&) = delete;
  ZookeeperServer& operator=(const ZookeeperServer&) = delete;

  /// Begins a process; it serves some seconds later.
  void start();
  /// Ends it at once, as a machine that fails does.
  void kill();
  /// Forgets all nodes and sessions.
  void wipe();
  /// Stops or continues the process: it has its connections, and answers nothing.
  void pause();
  void resume();

  base::Endpoint endpoint() const { return {address_, 2181}; }
  std::string url(const std::string& path) const;
  /// All that it logged so far.
  std::string log() const;

 private:
  base::Address address_;
  std::string folder_;
  int pid_ = -1;
};

}  // namespace viaduct::test
