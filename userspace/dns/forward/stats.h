#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "dns/forward/reply.h"

namespace viaduct::dns::forward {

/// Upper bounds of the buckets of answer times, seconds; one more has no bound. As dcos-net's.
inline constexpr std::array<double, 8> kDurationBounds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5};

struct Durations {
  std::array<std::uint64_t, kDurationBounds.size() + 1> buckets{};  ///< each alone, not summed up
  double sum_s = 0;

  void add(double seconds) {
    std::size_t bucket = 0;
    while (bucket < kDurationBounds.size() && seconds > kDurationBounds[bucket]) ++bucket;
    ++buckets[bucket];
    sum_s += seconds;
  }
};

/// Queries by how they were answered, and what else happened.
struct Counts {
  std::uint64_t from_cache = 0;
  std::uint64_t from_upstream = 0;
  std::uint64_t stale = 0;       ///< an answer whose TTL had ended
  std::uint64_t failed = 0;      ///< an error code, because no upstream gave an answer
  std::uint64_t over_limit = 0;  ///< SERVFAIL at once: too many queries wait
  std::uint64_t no_route = 0;    ///< REFUSED: no upstream is named for them
  std::uint64_t coalesced = 0;   ///< waited for what another query had asked
  std::uint64_t prefetched = 0;  ///< questions asked again before their answer's TTL ended
};

/// Of one forward zone.
struct RouteCounts {
  Durations durations;         ///< from query to answer, of those that upstreams were asked for
  std::uint64_t failures = 0;  ///< lookups that no upstream answered
};

/// Exchanges of one upstream.
struct UpstreamCounts {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t error_code = 0;  ///< SERVFAIL, REFUSED, ...
  std::uint64_t timed_out = 0;
  std::uint64_t unreachable = 0;  ///< ICMP error, no connection
  std::uint64_t bad_replies = 0;  ///< wrong id, wrong question, malformed
  std::uint64_t truncated = 0;    ///< asked again over TCP
};

struct RouteStats {
  std::string zone;
  RouteCounts counts;
};

struct UpstreamStats {
  base::Endpoint endpoint;
  UpstreamCounts counts;
  double round_trip_s = 0;  ///< smoothed
  double failures = 0;      ///< that have not faded yet
  bool aside = false;       ///< leads back to us
};

struct Stats {
  Counts counts;
  std::vector<RouteStats> routes;
  std::vector<UpstreamStats> upstreams;
  std::size_t waiting = 0;    ///< queries
  std::size_t lookups = 0;    ///< different questions
  std::size_t exchanges = 0;  ///< open, lingering ones included
  std::size_t cache_entries = 0;
  std::size_t cache_octets = 0;
  std::uint64_t cache_evictions = 0;
};

}  // namespace viaduct::dns::forward
