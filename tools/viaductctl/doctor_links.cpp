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
  for (Finding& finding : judge_offload(facts)) found.push_back(std::move(finding));
  return found;
}

}  // namespace viaduct::ctl
