// What doctor concludes from the members that viaductd knows: is it alone, does it understand the
// others, do their rows arrive here and its own there.

#include <boost/json.hpp>
#include <set>

#include "tools/viaductctl/doctor.h"

namespace viaduct::ctl {
namespace {

std::string names(const std::vector<const json::value*>& members) {
  std::vector<std::string> texts;
  for (const json::value* member : members) texts.push_back(text_of(*member, "name"));
  return some_of(texts);
}

template <class Fits>
std::vector<const json::value*> members_that(const json::value& cluster, Fits&& fits) {
  std::vector<const json::value*> found;
  for (const json::value& member : list_of(cluster, "members"))
    if (fits(member)) found.push_back(&member);
  return found;
}

bool in_state(const json::value& member, std::string_view state) {
  return text_of(member, "state") == state;
}

std::string first_key(const json::value& holder) {
  const json::array& keys = list_of(holder, "keys");
  return keys.empty() || !keys.front().is_string() ? "" : std::string(keys.front().get_string());
}

Finding judge_members(const json::value& cluster) {
  const std::string check = "cluster";
  const auto live = members_that(cluster, [](const json::value& member) {
    return in_state(member, "alive") || in_state(member, "suspect");
  });
  if (flag_of(cluster, "left"))
    return {Level::fault, check, "this node has left: nobody sends to its backends",
            "restart viaductd to join again"};
  if (live.size() <= 1)
    return {Level::warn, check, "this node knows no live member but itself",
            "check gossip.seeds, and that UDP and TCP pass between the nodes at " +
                text_of(cluster, "listen")};
  const auto doubted =
      members_that(cluster, [](const json::value& member) { return in_state(member, "suspect"); });
  if (!doubted.empty())
    return {Level::warn, check,
            counted(live.size(), "live member") + ", of which do not answer: " + names(doubted),
            "viaductctl members says when they count as dead; check these nodes and the network"};
  return {Level::ok, check, counted(live.size(), "live member"), ""};
}

void judge_secrecy(const json::value& cluster, std::vector<Finding>& found) {
  if (!flag_of(cluster, "encrypted"))
    found.push_back({Level::warn, "gossip keys",
                     "none: whoever reaches the port can add backends to any VIP",
                     "set gossip.keyring on every node"});
  const std::string own = first_key(cluster);
  const auto others = members_that(cluster, [&](const json::value& member) {
    return flag_of(member, "viaduct") && in_state(member, "alive") && !first_key(member).empty() &&
           first_key(member) != own;
  });
  if (!own.empty() && !others.empty())
    found.push_back({Level::warn, "gossip keys", "encrypt with another key: " + names(others),
                     "end the rotation: viaductctl keys use KEY on each node, then keys remove of "
                     "the old one"});
}

void judge_drops(const json::value& cluster, std::vector<Finding>& found) {
  static const std::set<std::string, std::less<>> foreign = {"wrong_key", "not_encrypted",
                                                             "wrong_label", "bad_versions"};
  for (const json::value& drop : list_of(cluster, "dropped")) {
    const std::string reason = text_of(drop, "reason");
    if (!foreign.contains(reason)) continue;
    found.push_back({Level::warn, "gossip " + reason,
                     counted(number_of(drop, "messages"), "message") +
                         " dropped since the start: " + text_of(drop, "help"),
                     "log.level = debug names the senders of streams; such a node needs this "
                     "cluster's gossip.keyring and "
                     "gossip.label, or belongs elsewhere"});
  }
}

void judge_rows(const json::value& cluster, std::vector<Finding>& found) {
  if (const std::string error = text_of(cluster, "publish_error"); !error.empty())
    found.push_back({Level::fault, "gossip rows",
                     "this node's newest rows are not published: " + error,
                     "the other nodes use the former ones; make the rows fewer or shorter"});
  const auto clones =
      members_that(cluster, [](const json::value& member) { return flag_of(member, "cloned"); });
  if (!clones.empty())
    found.push_back({Level::fault, "gossip names", "two nodes use the name " + names(clones),
                     "give one of them another node.name"});
  const auto behind = members_that(cluster, [](const json::value& member) {
    return number_of(member, "lag") > 0 && in_state(member, "alive");
  });
  if (!behind.empty())
    found.push_back({Level::warn, "gossip rows", "behind those of " + names(behind),
                     "look again in some seconds; else TCP to them does not pass"});
  const auto restored = members_that(cluster, [](const json::value& member) {
    return flag_of(member, "restored") && number_of(member, "rows") > 0;
  });
  if (!restored.empty())
    found.push_back({Level::warn, "gossip rows",
                     "from before this node's start, not heard of since: " + names(restored),
                     "check these nodes; viaductctl force-remove NODE ends one for good"});
}

}  // namespace

std::vector<Finding> judge_cluster(const Facts& facts) {
  if (!facts.cluster) return {};
  const json::value& cluster = *facts.cluster;
  if (const std::string problem = text_of(cluster, "problem"); !problem.empty())
    return {{Level::fault, "cluster", "gossip does not run: " + problem,
             "mend that and restart viaductd; until then only this node's backends are known"}};
  if (!flag_of(cluster, "enabled")) return {};
  std::vector<Finding> found{judge_members(cluster)};
  if (const auto health = number_of(cluster, "health"); health > 1)
    found.push_back({Level::warn, "gossip health",
                     "this node misses answers of many (score " + std::to_string(health) +
                         "): it doubts itself before others",
                     "check its CPU load and network"});
  judge_secrecy(cluster, found);
  judge_drops(cluster, found);
  judge_rows(cluster, found);
  if (const auto& rejected = list_of(cluster, "rejected"); !rejected.empty())
    found.push_back({Level::warn, "gossip rows",
                     counted(rejected.size(), "row") + " cannot be used",
                     "viaductctl members says which and why"});
  return found;
}

}  // namespace viaduct::ctl
