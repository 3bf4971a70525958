#include "dns/io/metrics.h"

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
}

}  // namespace viaduct::dns
