#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/result.h"
#include "dataplane/io/maps.h"
#include "dataplane/io/socket_flows.h"
#include "dataplane/orphan.h"

namespace viaduct::dataplane {

/// Destroys the sockets of backends that are gone, so that their clients get an error at once and
/// connect anew instead of waiting for an answer. A thread of its own, for it enters the network
/// namespaces of the sockets; like any other process it reads the pinned maps, and nothing else is
/// shared.
class Reaper {
 public:
  /// @errors the system's code when sockets cannot be listed or destroyed here.
  static base::Result<std::unique_ptr<Reaper>> start(const std::string& bpffs);

  Reaper(const Reaper&) = delete;
  /// Ends the thread; waits for the socket at hand.
  ~Reaper();

  /// Has it look soon. Wishes that come while it works or rests are one.
  void wake();

  struct Stats {
    std::uint64_t destroyed = 0;
    std::uint64_t failed = 0;  ///< attempts: what fails is tried again at the next look
  };
  Stats stats() const;

 private:
  Reaper(SocketFlows flows, Maps maps);
  void work();
  bool look();
  void destroy_all(const OrphanSearch& found);
  Stats destroy_in(int netns, const std::vector<ConnectedSocket>& sockets);

  SocketFlows flows_;
  Maps maps_;
  std::atomic<std::uint32_t> wishes_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> destroyed_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::thread thread_;
};

}  // namespace viaduct::dataplane
