#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/io/fd.h"
#include "dns/config.h"
#include "dns/io/forwarder.h"
#include "dns/io/table_box.h"
#include "dns/respond.h"

namespace viaduct::dns {

struct TcpStats {
  std::array<std::uint64_t, kOutcomes> outcomes{};  ///< by Outcome
  std::uint64_t open = 0;                           ///< connections now
  std::uint64_t accepted = 0;                       ///< connections, over-limit ones included
  std::uint64_t over_limit = 0;       ///< connections closed at once because of a limit
  std::uint64_t timed_out = 0;        ///< connections closed by a time limit
  std::uint64_t broken = 0;           ///< connections closed because of a bad length
  std::uint64_t accept_failures = 0;  ///< e.g. no file descriptors left
};

/// A thread that answers TCP queries: pipelined, in order except for what is forwarded, one
/// coroutine a connection. It is apart from the UDP workers, so that TCP clients never delay UDP
/// answers. A connection's queries are read only while its answers find room, so a slow reader
/// holds bounded memory.
class TcpServer {
 public:
  /// Starts the thread.
  /// @param tables  outlives the server.
  /// @param forwarder  outlives the server, and is stopped before the server ends; null: nothing is
  /// forwarded.
  TcpServer(const TableBox& tables, Forwarder* forwarder, const TcpLimits& limits,
            const std::string& thread_name);
  /// Ends the thread; connections are closed.
  ~TcpServer();

  /// Gives the server a listening socket. Any thread may call this.
  void add(base::Fd socket);
  /// Closes the listening sockets that are bound there; connections stay.
  void remove(const base::Endpoint& endpoint);

  TcpStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace viaduct::dns
