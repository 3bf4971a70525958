// What doctor concludes from asking each DNS address for the zone's SOA record.

#include <algorithm>
#include <boost/json.hpp>

#include "tools/viaductctl/doctor.h"

namespace viaduct::ctl {

std::vector<Finding> judge_dns(const Facts& facts) {
  if (!facts.status) return {};
  const json::value& dns = object_of(*facts.status, "dns");
  if (!flag_of(dns, "enabled"))
    return {{Level::warn, "DNS", "off: named VIPs have no names here", "set dns.enabled = true"}};
  if (facts.dns.empty())
    return {{Level::fault, "DNS", "listens nowhere",
             "viaductd's log says why dns.listen could not be bound; another DNS server on port 53 "
             "is the usual reason"}};
  std::vector<Finding> found;
  for (const DnsFacts& server : facts.dns) {
    const std::string check = "DNS " + server.server.to_string();
    if (server.error.empty())
      found.push_back({Level::ok, check, "answers for l4lb.thisdcos.directory", ""});
    else
      found.push_back({Level::fault, check, server.error,
                       "check that no other program or firewall holds the address and port"});
  }
  const bool used = std::ranges::any_of(facts.resolvers, [&](const std::string& resolver) {
    return std::ranges::any_of(facts.dns, [&](const DnsFacts& server) {
      return server.server.port == 53 && server.server.address.to_string() == resolver;
    });
  });
  if (!used)
    found.push_back({Level::warn, "resolv.conf",
                     "names none of these addresses: programs here do not resolve named VIPs",
                     "put \"nameserver " + facts.dns.front().server.address.to_string() +
                         "\" first, or have your resolver forward thisdcos.directory there"});
  return found;
}

}  // namespace viaduct::ctl
