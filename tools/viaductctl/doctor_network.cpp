// What doctor concludes from devices, routes and the kernel's network settings.

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "tools/viaductctl/doctor.h"

namespace viaduct::ctl {
namespace {

constexpr std::int64_t kStrict =
    1;  // rp_filter: a packet must come from where its answer would go (RFC 3704)

/// The kernel applies the larger of the device's value and that of "all".
bool is_strict(const Facts& facts, const LinkFacts& link) {
  return std::max(facts.rp_filter_all.value_or(0), link.rp_filter.value_or(0)) == kStrict;
}

Finding judge_link(const Facts& facts, const LinkFacts* link) {
  const std::string check = "device " + facts.link;
  if (!link)
    return {Level::fault, check, "missing: packets for VIPs go nowhere",
            "restart viaductd, which makes it again"};
  if (!link->up) return {Level::fault, check, "down", "ip link set " + facts.link + " up"};
  if (!link->programs.contains("egress"))
    return {Level::fault, check, "up, but no packet program is attached",
            "restart viaductd, which attaches it again"};
  return {Level::ok, check, "up, a " + (link->kind.empty() ? "device" : link->kind + " device"),
          ""};
}

Finding judge_routes(const Facts& facts) {
  std::vector<std::string> missing;
  std::vector<std::string> stale;
  for (const base::Address& address : facts.vip_addresses)
    if (!facts.routes.contains(address)) missing.push_back(address.to_string());
  for (const base::Address& address : facts.routes)
    if (!facts.vip_addresses.contains(address)) stale.push_back(address.to_string());
  if (!missing.empty())
    return {Level::fault, "VIP routes", "missing for " + some_of(missing),
            "viaductd adds them within dataplane.reconcile_ms; if not, its log says why"};
  if (!stale.empty())
    return {Level::warn, "VIP routes", "left over from former VIPs: " + some_of(stale),
            "viaductd removes them once every source has answered"};
  return {Level::ok, "VIP routes", std::to_string(facts.routes.size()) + " into " + facts.link, ""};
}

std::vector<Finding> judge_containers(const Facts& facts) {
  std::vector<std::string> bare;
  std::vector<std::string> strict;
  std::size_t count = 0;
  for (const LinkFacts& link : facts.links) {
    if (!is_container_link(facts, link)) continue;
    count++;
    if (!link.programs.contains("ingress") || !link.programs.contains("egress"))
      bare.push_back(link.name);
    if (is_strict(facts, link)) strict.push_back(link.name);
  }
  std::vector<Finding> found;
  if (bare.empty())
    found.push_back(
        {Level::ok, "container links", std::to_string(count) + " with packet programs", ""});
  else
    found.push_back(
        {Level::fault, "container links", "no packet program on " + some_of(bare),
         "viaductd attaches it within dataplane.reconcile_ms; if not, its log says why"});
  if (!strict.empty())
    found.push_back({Level::warn, "rp_filter",
                     "strict on " + some_of(strict) +
                         ": a container's connection to itself through a VIP may be dropped",
                     "sysctl -w net.ipv4.conf.all.rp_filter=2"});
  return found;
}

std::vector<Finding> judge_settings(const Facts& facts, const LinkFacts* link) {
  std::vector<Finding> found;
  const bool has_containers = std::ranges::any_of(
      facts.links, [&](const LinkFacts& one) { return is_container_link(facts, one); });
  if (facts.ip_forward == 0)
    found.push_back({has_containers ? Level::fault : Level::warn, "ip_forward",
                     "IPv4 forwarding is off: containers reach no backend elsewhere",
                     "sysctl -w net.ipv4.ip_forward=1"});
  else if (facts.ip_forward)
    found.push_back({Level::ok, "ip_forward", "IPv4 forwarding is on", ""});
  const bool serves_v6 = std::ranges::any_of(facts.vip_addresses, &base::Address::is_v6);
  if (serves_v6 && facts.ip6_forward == 0)
    found.push_back({Level::warn, "ip6_forward",
                     "IPv6 forwarding is off: containers reach no IPv6 backend elsewhere",
                     "sysctl -w net.ipv6.conf.all.forwarding=1"});
  if (link && is_strict(facts, *link))
    found.push_back(
        {Level::fault, "rp_filter",
         "strict on " + facts.link + ": answers to host clients are dropped",
         "sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf." + facts.link + ".rp_filter=0"});
  std::vector<std::string> strict;
  std::size_t uplinks = 0;
  for (const LinkFacts& one : facts.links)
    if (is_uplink(facts, one)) {
      uplinks++;
      if (is_strict(facts, one)) strict.push_back(one.name);
    }
  if (uplinks > 1 && !strict.empty())
    found.push_back({Level::warn, "rp_filter",
                     "strict on " + some_of(strict) +
                         ": packets of clients that another uplink leads to are dropped, those out "
                         "of tunnels too",
                     "sysctl -w net.ipv4.conf.all.rp_filter=2"});
  if (facts.bridge_nf == 1)
    found.push_back(
        {Level::warn, "bridge-nf",
         "iptables sees packets inside bridges: its NAT and DROP rules meet VIP traffic too",
         "sysctl -w net.bridge.bridge-nf-call-iptables=0, unless something else needs it"});
  return found;
}

}  // namespace

std::vector<Finding> judge_network(const Facts& facts) {
  if (facts.status && !flag_of(object_of(*facts.status, "dataplane"), "enabled")) return {};
  if (!facts.links_error.empty())
    return {{Level::warn, "devices", "cannot be read: " + facts.links_error, "run this as root"}};
  const auto link = std::ranges::find(facts.links, facts.link, &LinkFacts::name);
  const LinkFacts* own = link == facts.links.end() ? nullptr : &*link;
  std::vector<Finding> found{judge_link(facts, own)};
  if (facts.maps_error.empty() && facts.bpffs_mounted && own) found.push_back(judge_routes(facts));
  for (auto&& more : {judge_containers(facts), judge_settings(facts, own)})
    found.insert(found.end(), more.begin(), more.end());
  return found;
}

}  // namespace viaduct::ctl
