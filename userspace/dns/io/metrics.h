#pragma once

#include "dns/io/kernel_table.h"
#include "dns/io/server.h"
#include "metrics/page.h"

namespace viaduct::dns {

/// Adds what the server counted.
void publish(const Stats& stats, metrics::Page& page);
/// Adds what the kernel counted.
void publish(const KernelCounts& counts, metrics::Page& page);

}  // namespace viaduct::dns
