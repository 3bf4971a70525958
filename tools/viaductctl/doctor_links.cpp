// What doctor concludes from the sizes of packets that devices take, and from what else runs on
// them.

#include <algorithm>
#include <boost/json.hpp>

#include "tools/viaductctl/doctor.h"

namespace viaduct::ctl {
namespace {

const LinkFacts* smallest_uplink(const Facts& facts) {
  const LinkFacts* smallest = nullptr;
  for (const LinkFacts& link : facts.links)
    if (is_uplink(facts, link) && link.mtu != 0 && (!smallest || link.mtu < smallest->mtu))
      smallest = &link;
  return smallest;
}

/// Whoever sends more than the way takes depends on ICMP errors, which firewalls like to drop.
Finding judge_mtu(const Facts& facts) {
  const std::string check = "MTU";
  const LinkFacts* uplink = smallest_uplink(facts);
  if (!uplink) return {Level::ok, check, "no uplink to compare with", ""};
  const std::string limit = uplink->name + " takes " + std::to_string(uplink->mtu) + " bytes";
  std::vector<std::string> larger;
  for (const LinkFacts& link : facts.links)
    if (link.mtu > uplink->mtu && (is_container_link(facts, link) || link.name == facts.link))
      larger.push_back(link.name + " " + std::to_string(link.mtu));
  if (larger.empty()) return {Level::ok, check, limit + ", no container link takes more", ""};
  return {Level::warn, check,
          limit + ", but larger are " + some_of(larger) +
              ": big datagrams are lost where ICMP errors are dropped",
          "ip link set DEVICE mtu " + std::to_string(uplink->mtu) +
              ", in the container too, or raise the uplink's"};
}

constexpr std::uint32_t kIpv4Header = 20;
constexpr std::uint32_t kIpv6Header = 40;
constexpr std::uint32_t kIpv6Least = 1280;  // RFC 8200, 5: every link takes packets of this size

/// What a tunnel puts in front of a packet, at most; 0: no backend is on another machine.
std::uint32_t tunnel_overhead(const Facts& facts) {
  if (std::ranges::any_of(facts.nodes, &base::Address::is_v6)) return kIpv6Header;
  return facts.nodes.empty() ? 0 : kIpv4Header;
}

/// The smallest of those whose XDP program sends into tunnels.
const LinkFacts* smallest_tunnel(const Facts& facts) {
  const LinkFacts* smallest = nullptr;
  for (const LinkFacts& link : facts.links)
    if (!link.tunnel_program.empty() && link.mtu != 0 && (!smallest || link.mtu < smallest->mtu))
      smallest = &link;
  return smallest;
}

/// Devices that take packets which fit into no tunnel, or that take less than comes out of one.
Finding judge_tunnel_room(const Facts& facts, const LinkFacts& narrow, std::uint32_t overhead) {
  const std::string check = "tunnel MTU";
  const std::uint32_t room = narrow.mtu > overhead ? narrow.mtu - overhead : 0;
  const std::string what = std::to_string(room) + " bytes fit: " + narrow.name + " takes " +
                           std::to_string(narrow.mtu) + ", of which IP in IP needs " +
                           std::to_string(overhead);
  const std::string raise = "ip link set " + narrow.name + " mtu " +
                            std::to_string(std::max(narrow.mtu, kIpv6Least) + overhead) +
                            ", if the network between the machines takes that";
  if (room < kIpv6Least && std::ranges::any_of(facts.vip_addresses, &base::Address::is_v6))
    return {Level::fault, check,
            what + "; IPv6 clients send " + std::to_string(kIpv6Least) + " whatever they are told",
            raise};
  std::vector<std::string> wide;
  std::vector<std::string> small;
  for (const LinkFacts& link : facts.links) {
    if (is_uplink(facts, link) && link.mtu > narrow.mtu)
      wide.push_back(link.name + " " + std::to_string(link.mtu));
    if (is_container_link(facts, link) && link.mtu != 0 && link.mtu < room)
      small.push_back(link.name + " " + std::to_string(link.mtu));
  }
  if (!wide.empty())
    return {Level::warn, check,
            what + ", but more comes in by " + some_of(wide) +
                ": big datagrams are lost where ICMP errors are dropped",
            "give all uplinks the same MTU"};
  if (!small.empty())
    return {Level::warn, check,
            what + ", and containers take less: " + some_of(small) +
                "; big datagrams that a tunnel brings are lost where ICMP errors are dropped",
            "ip link set DEVICE mtu " + std::to_string(room) + " or more, in the container too"};
  return {Level::ok, check, what + "; TCP is told so, and larger datagrams are answered with it",
          ""};
}

std::vector<Finding> judge_tunnels(const Facts& facts) {
  std::vector<Finding> found;
  const std::uint32_t overhead = tunnel_overhead(facts);
  const LinkFacts* narrow = smallest_tunnel(facts);
  if (overhead != 0 && narrow) found.push_back(judge_tunnel_room(facts, *narrow, overhead));
  if (overhead != 0 && !narrow)
    found.push_back({Level::warn, "tunnels",
                     "no uplink has the XDP program: clients outside reach no backend of " +
                         counted(facts.nodes.size(), "other machine"),
                     "set dataplane.xdp; viaductctl explain says why it is not attached"});
  std::vector<std::string> lost;
  for (const base::Address& node : facts.lost_nodes) lost.push_back(node.to_string());
  if (!lost.empty())
    found.push_back({Level::fault, "tunnel routes", "no route to " + some_of(lost),
                     "ip route add it, or correct \"node\" in the service files"});
  return found;
}

/// Generic XDP runs after packets were merged, native XDP before.
std::vector<Finding> judge_merging(const Facts& facts) {
  std::vector<std::string> merging;
  for (const LinkFacts& link : facts.links)
    if (link.tunnel_program == "generic" && (link.gro.value_or(false) || link.lro.value_or(false)))
      merging.push_back(link.name);
  if (merging.empty()) return {};
  return {
      {Level::warn, "generic XDP",
       "runs on " + some_of(merging) +
           " after GRO or LRO merged packets: what was merged fits into no tunnel and is refused",
       "ethtool -K " + merging.front() + " gro off lro off, or a driver with native XDP"}};
}

std::vector<Finding> judge_offload(const Facts& facts) {
  std::vector<std::string> slow;
  for (const LinkFacts& link : facts.links)
    if (link.kind == "veth" && link.native_xdp) slow.push_back(link.name);
  if (slow.empty()) return {};
  return {{Level::warn, "checksum offload",
           "native XDP on " + some_of(slow) +
               ": segmentation offload is off, and packets whose checksum is still to be computed "
               "lose it when they are redirected",
           "detach it (ip link set dev DEVICE xdp off) or use generic XDP (xdpgeneric)"}};
}

}  // namespace

bool is_container_link(const Facts& facts, const LinkFacts& link) {
  return link.name != facts.link &&
         std::ranges::any_of(facts.container_links, [&](const std::string& pattern) {
           return matches_pattern(link.name, pattern);
         });
}

bool is_uplink(const Facts& facts, const LinkFacts& link) {
  return link.name != facts.link && link.programs.contains("ingress") &&
         !is_container_link(facts, link);
}

std::vector<Finding> judge_links(const Facts& facts) {
  if (facts.status && !flag_of(object_of(*facts.status, "dataplane"), "enabled")) return {};
  if (!facts.links_error.empty()) return {};
  std::vector<Finding> found{judge_mtu(facts)};
  for (const auto topic : {judge_tunnels, judge_merging, judge_offload})
    for (Finding& finding : topic(facts)) found.push_back(std::move(finding));
  return found;
}

}  // namespace viaduct::ctl
