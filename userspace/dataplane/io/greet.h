#pragma once

#include "base/address.h"

namespace viaduct::dataplane {

/// Sends an empty datagram to a machine's discard port (RFC 863), so that the kernel learns the
/// link address on the way there: XDP programs can't ask for it. Nobody need answer; failures are
/// nobody's concern.
void greet(const base::Address& machine);

}  // namespace viaduct::dataplane
