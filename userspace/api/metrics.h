#pragma once

#include <cstdint>
#include <map>

#include "api/views.h"
#include "metrics/page.h"

namespace viaduct::api {

/// What the API counts of itself; the daemon holds it and publishes it in Views::metrics.
struct Counters {
  std::map<unsigned, std::uint64_t> replies;  ///< by status

  void count(unsigned status) { replies[status]++; }
};

void publish(const Counters& counters, metrics::Page& page);

/// Adds what the views tell: sources, services, data plane, DNS.
void publish(const Views& views, metrics::Page& page);

}  // namespace viaduct::api
