#include "dns/io/metrics.h"

#include <sstream>

namespace viaduct::dns {
namespace {

using metrics::Family;
using metrics::Kind;

const Family kQueries{Kind::counter,
                      "viaduct_dns_queries_total",
                      "Messages by what became of them.",
                      {"protocol", "outcome"}};
const Family kDrops{Kind::counter, "viaduct_dns_udp_drops_total",
                    "Queries lost because a socket's buffer was full."};
const Family kSendFailures{Kind::counter, "viaduct_dns_udp_send_failures_total",
                           "Answers that the kernel did not take."};
const Family kOpen{Kind::gauge, "viaduct_dns_tcp_connections_open", "TCP connections now."};
const Family kClosed{Kind::counter,
                     "viaduct_dns_tcp_connections_closed_total",
                     "TCP connections that the server closed.",
                     {"reason"}};

// Prometheus asks histograms for names without _total; these are its parts as plain counters.
const Family kForwardSeconds{Kind::counter,
                             "viaduct_dns_forwarder_requests_duration_bucket_total",
                             "Forwarded queries by forward zone and how long their answer took at "
                             "most, those from the cache apart.",
                             {"zone", "le"}};
const Family kForwardSum{Kind::counter,
                         "viaduct_dns_forwarder_requests_duration_seconds_total",
                         "How long forwarded queries took together.",
                         {"zone"}};
const Family kForwardFailures{Kind::counter,
                              "viaduct_dns_forwarder_failures_total",
                              "Questions that no upstream gave an answer to.",
                              {"zone"}};
const Family kForwardAnswers{Kind::counter,
                             "viaduct_dns_forwarder_answers_total",
                             "Forwarded queries by where their answer came from.",
                             {"origin"}};
const Family kCoalesced{Kind::counter, "viaduct_dns_forwarder_coalesced_total",
                        "Queries that waited for what another one had asked."};
const Family kPrefetched{Kind::counter, "viaduct_dns_forwarder_prefetched_total",
                         "Questions asked again before their answer's TTL ended."};
const Family kExchanges{Kind::counter,
                        "viaduct_dns_upstream_queries_total",
                        "Queries to each upstream by what became of them.",
                        {"upstream", "outcome"}};
const Family kUpstreamFailures{Kind::gauge,
                               "viaduct_dns_upstream_failures",
                               "Failures that still weigh on an upstream.",
                               {"upstream"}};
const Family kRoundTrip{Kind::gauge,
                        "viaduct_dns_upstream_round_trip_seconds",
                        "Smoothed time that an upstream takes.",
                        {"upstream"}};
const Family kAside{Kind::gauge,
                    "viaduct_dns_upstream_is_ourselves",
                    "1: the upstream leads back here and is not asked.",
                    {"upstream"}};
const Family kWaiting{Kind::gauge, "viaduct_dns_forwarder_waiting", "Queries that wait now."};
const Family kCacheOctets{Kind::gauge, "viaduct_dns_cache_bytes", "Room that answers take."};
const Family kCacheEntries{Kind::gauge, "viaduct_dns_cache_entries", "Answers that are kept."};
const Family kCacheEvictions{Kind::counter, "viaduct_dns_cache_evictions_total",
                             "Answers that left for want of room."};

const Family kKernel{Kind::counter,
                     "viaduct_dns_kernel_queries_total",
                     "UDP queries that the kernel saw first, by what it did: answered, no_data, or "
                     "why they went up to user space.",
                     {"outcome"}};

std::string bound_text(std::size_t bucket) {
  if (bucket == forward::kDurationBounds.size()) return "+Inf";
  std::ostringstream text;
  text << forward::kDurationBounds[bucket];
  return text.str();
}

void publish_routes(const forward::Stats& stats, metrics::Page& page) {
  for (const forward::RouteStats& route : stats.routes) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < route.counts.durations.buckets.size(); ++i) {
      sum += route.counts.durations.buckets[i];
      page.add(kForwardSeconds, sum, {route.zone, bound_text(i)});
    }
    page.add(kForwardSum, route.counts.durations.sum_s, {route.zone});
    page.add(kForwardFailures, route.counts.failures, {route.zone});
  }
}

void publish_upstreams(const forward::Stats& stats, metrics::Page& page) {
  for (const forward::UpstreamStats& upstream : stats.upstreams) {
    const std::string name = upstream.endpoint.to_string();
    const forward::UpstreamCounts& counts = upstream.counts;
    page.add(kExchanges, counts.answered, {name, "answered"});
    page.add(kExchanges, counts.error_code, {name, "error_code"});
    page.add(kExchanges, counts.timed_out, {name, "timed_out"});
    page.add(kExchanges, counts.unreachable, {name, "unreachable"});
    page.add(kExchanges, counts.bad_replies, {name, "bad_reply"});
    page.add(kExchanges, counts.truncated, {name, "truncated"});
    page.add(kUpstreamFailures, upstream.failures, {name});
    page.add(kRoundTrip, upstream.round_trip_s, {name});
    page.add(kAside, upstream.aside ? 1 : 0, {name});
  }
}

void publish_forward(const forward::Stats& stats, metrics::Page& page) {
  publish_routes(stats, page);
  publish_upstreams(stats, page);
  page.add(kForwardAnswers, stats.counts.from_upstream, {"upstream"});
  page.add(kForwardAnswers, stats.counts.from_cache, {"cache"});
  page.add(kForwardAnswers, stats.counts.stale, {"stale"});
  page.add(kForwardAnswers, stats.counts.failed, {"failure"});
  page.add(kForwardAnswers, stats.counts.over_limit, {"over_limit"});
  page.add(kForwardAnswers, stats.counts.no_route, {"no_route"});
  page.add(kCoalesced, stats.counts.coalesced);
  page.add(kPrefetched, stats.counts.prefetched);
  page.add(kWaiting, stats.waiting);
  page.add(kCacheOctets, stats.cache_octets);
  page.add(kCacheEntries, stats.cache_entries);
  page.add(kCacheEvictions, stats.cache_evictions);
}

void publish_outcomes(const std::array<std::uint64_t, kOutcomes>& outcomes, const char* protocol,
                      metrics::Page& page) {
  for (std::size_t i = 0; i < kOutcomes; i++)
    page.add(kQueries, outcomes[i], {protocol, to_string(static_cast<Outcome>(i))});
}

}  // namespace

void publish(const Stats& stats, metrics::Page& page) {
  publish_outcomes(stats.udp.outcomes, "udp", page);
  publish_outcomes(stats.tcp.outcomes, "tcp", page);
  page.add(kDrops, stats.udp.kernel_drops);
  page.add(kSendFailures, stats.udp.send_failures);
  page.add(kOpen, stats.tcp.open);
  page.add(kClosed, stats.tcp.over_limit, {"limit"});
  page.add(kClosed, stats.tcp.timed_out, {"timeout"});
  page.add(kClosed, stats.tcp.broken, {"bad_length"});
  if (stats.forward) publish_forward(*stats.forward, page);
}

void publish(const KernelCounts& counts, metrics::Page& page) {
  for (std::size_t i = 0; i < counts.size(); i++) {
    const auto outcome = static_cast<vd_dns_outcome>(i);
    if (outcome != VD_DNS_NEXT && outcome != VD_DNS_FOREIGN)
      page.add(kKernel, counts[i], {to_string(outcome)});
  }
}

}  // namespace viaduct::dns
