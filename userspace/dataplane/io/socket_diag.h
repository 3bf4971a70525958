#pragma once

#include <cstdint>

#include "base/io/fd.h"
#include "base/result.h"
#include "dataplane/orphan.h"

namespace viaduct::dataplane {

/// The kernel's sock_diag service of one network namespace.
class SocketDiag {
 public:
  /// Of the namespace that the calling thread is in now.
  /// @errors the system's code.
  static base::Result<SocketDiag> open();

  /// Destroys a socket: whoever waits on it gets ECONNABORTED, a TCP peer gets an RST.
  /// @errors ENOENT: it is gone already; EOPNOTSUPP: this kernel destroys no sockets.
  base::Result<void> destroy(const ConnectedSocket& socket);

 private:
  explicit SocketDiag(base::Fd fd) : fd_(std::move(fd)) {}

  base::Fd fd_;
  std::uint32_t sequence_ = 0;
};

/// Destroys a TCP and a UDP socket of our own, to see whether the kernel does that.
/// @errors EOPNOTSUPP: it was built without INET_DIAG_DESTROY; ENOENT: without tcp_diag or
/// udp_diag.
base::Result<void> probe_destroy();

}  // namespace viaduct::dataplane
