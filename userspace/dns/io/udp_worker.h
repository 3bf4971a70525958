#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/io/fd.h"
#include "dns/io/forwarder.h"
#include "dns/io/table_box.h"
#include "dns/respond.h"

namespace viaduct::dns {

/// Sums of one or more UDP workers.
struct UdpStats {
  std::array<std::uint64_t, kOutcomes> outcomes{};  ///< by Outcome
  std::uint64_t kernel_drops = 0;   ///< queries lost because a socket's buffer was full
  std::uint64_t send_failures = 0;  ///< answers that the kernel did not take
};

/// A thread that answers UDP queries on its own sockets.
/// Asio only says which socket is readable; queries and answers move in batches by recvmmsg and
/// sendmmsg.
class UdpWorker {
 public:
  /// Starts the thread.
  /// @param tables  outlives the worker.
  /// @param forwarder  outlives the worker, and is stopped before the worker ends; null: nothing is
  /// forwarded.
  UdpWorker(const TableBox& tables, Forwarder* forwarder, const std::string& thread_name);
  /// Ends the thread.
  ~UdpWorker();

  /// Gives the worker a bound socket that does not block. Any thread may call this.
  void add(base::Fd socket);
  /// Closes the sockets that are bound there.
  void remove(const base::Endpoint& endpoint);

  void add_to(UdpStats& stats) const;

  /// When the thread last looked for work, which it does at least each second.
  std::chrono::steady_clock::time_point last_alive() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace viaduct::dns
