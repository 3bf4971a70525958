#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/io/fd.h"
#include "base/result.h"

namespace viaduct::dns {

/// All sockets of one listening address, bound.
struct ListenSockets {
  base::Endpoint endpoint;    ///< with the real port
  std::vector<base::Fd> udp;  ///< one for each worker, in one SO_REUSEPORT group
  base::Fd tcp;               ///< listening
};

/// Binds an address for `workers` UDP threads and TCP; either all sockets are open or none.
/// The address need not exist yet (IP_FREEBIND).
/// @param endpoint  port 0: the system chooses one that is free for UDP and TCP.
/// @param receive_buffer_bytes  of each UDP socket; over the system's limit only with
/// CAP_NET_ADMIN.
/// @errors the system's code; the context names the address and the call.
base::Result<ListenSockets> open_listen_sockets(const base::Endpoint& endpoint, unsigned workers,
                                                int receive_buffer_bytes);

/// Packets that the kernel threw away because the socket's buffer was full; 0 if it cannot be read.
std::uint64_t dropped_packets(int fd);

/// What a socket is bound to; an unspecified endpoint if that cannot be read.
base::Endpoint bound_to(int fd);

}  // namespace viaduct::dns
