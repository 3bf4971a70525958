#pragma once

#include <viaduct/abi/flow.h>

#include <functional>
#include <string>

#include "base/io/fd.h"
#include "base/result.h"

namespace viaduct::dataplane {

/// Lists the sockets of all network namespaces that a socket hook connected to a backend: the
/// iterator sock_flows over the pinned map vd_sock_v1.
class SocketFlows {
 public:
  /// @param bpffs  the folder of the pins.
  /// @errors the system's code when the map is not there or the kernel has no such iterator.
  static base::Result<SocketFlows> open(const std::string& bpffs);

  /// Calls `see` for every socket. Those that come or go meanwhile may be missed or seen.
  /// @errors the system's code; some may have been seen.
  base::Result<void> read(const std::function<void(const vd_sock_flow&)>& see) const;

 private:
  explicit SocketFlows(base::Fd link) : link_(std::move(link)) {}

  base::Fd link_;  ///< between the iterator and the map
};

}  // namespace viaduct::dataplane
