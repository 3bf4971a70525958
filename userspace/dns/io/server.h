#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "dns/config.h"
#include "dns/io/tcp_server.h"
#include "dns/io/udp_worker.h"
#include "dns/table.h"

namespace viaduct::dns {

struct Stats {
  UdpStats udp;  ///< all workers
  TcpStats tcp;
  std::optional<forward::Stats> forward;  ///< absent when nothing is forwarded

  /// Messages that arrived, over UDP and TCP.
  std::uint64_t queries() const;
};

/// The DNS service of this node: sockets, threads and the table they answer from.
/// All functions belong to one thread, the owner's; the server's own threads never call back.
class Server {
 public:
  /// Until the first publish() names of our zones get SERVFAIL.
  explicit Server(Config config);
  ~Server();

  /// Starts the threads and binds every address; addresses that cannot be bound are tried again
  /// each Config::retry until they can. Each Config::watch every address is asked over UDP and TCP;
  /// one that is silent three times is bound anew. Keeps Config::resolv_conf.
  /// @errors the first address's code; the context names every address that could not be bound, and
  /// why. The server runs all the same, on the other addresses.
  base::Result<void> start();

  /// Answers from this table from now on: a query that arrives after the return never sees an older
  /// one.
  void publish(std::shared_ptr<const Table> table);

  /// Closes every socket and ends the threads; start() may follow.
  void stop();

  /// Has a name looked up as if a client had asked for it over TCP; for viaductctl. Only names that
  /// are forwarded.
  /// @param query  a whole message.
  /// @param take  called once with the answer and where it came from, on another thread.
  /// @return false: nothing is forwarded.
  bool look_up(base::Bytes query, TakeAnswer take);

  Stats stats() const;
  /// When all of the threads that answer UDP were last seen alive; the clock's start if there are
  /// none.
  std::chrono::steady_clock::time_point last_alive() const;
  /// The addresses that are bound, in the order of Config::listen.
  std::vector<base::Endpoint> listening() const;
  /// Addresses that are not bound or do not answer, each with the reason.
  std::vector<std::string> faults() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace viaduct::dns
