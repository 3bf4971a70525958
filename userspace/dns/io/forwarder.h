#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "dns/forward/engine.h"
#include "dns/respond.h"

namespace viaduct::dns {

/// Where the answer to a forwarded UDP query goes.
struct UdpReturn {
  int socket = -1;  ///< that the query came from; open until Forwarder::forget() or stop()
  sockaddr_storage client{};
  socklen_t client_octets = 0;
};
/// Takes an answer, on the forwarder's thread; called exactly once unless the forwarder stops.
using TakeAnswer = std::function<void(base::Bytes, const forward::Origin&)>;

/// A query that respond() gave the outcome `forwarded`.
struct ForwardedQuery {
  base::Bytes message;
  base::Endpoint client;
  std::variant<UdpReturn, TakeAnswer> back;  ///< UDP limits hold for UdpReturn, TCP's otherwise
};

/// A thread that has questions answered by other servers: cache, upstream sockets, and the engine
/// that decides. Cache hits are answered on it too, so a flood of them never delays our own zones.
class Forwarder {
 public:
  /// Starts the thread. Raises the process's limit of open files as far as it may, because every
  /// exchange has a socket of its own.
  explicit Forwarder(const forward::Options& options);
  ~Forwarder();

  /// What respond() is to be told: `on`, or `full` while too many queries wait for the thread.
  Forwarding state() const;
  /// Hands queries over, with one wake-up. Any thread may call this.
  void ask(std::vector<ForwardedQuery> queries);

  /// A socket is about to be closed: who asked through it gets no answer. Waits for the thread.
  void forget(int socket);

  /// Ends the thread; ask() does nothing from then on. What still waits gets no answer.
  void stop();

  /// All numbers of now. Waits for the thread to finish what it is at.
  forward::Stats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace viaduct::dns
