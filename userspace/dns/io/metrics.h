#pragma once

#include "dns/io/server.h"
#include "metrics/page.h"

namespace viaduct::dns {

/// Adds what the server counted.
void publish(const Stats& stats, metrics::Page& page);

}  // namespace viaduct::dns
