#include "tools/viaductctl/members.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "tools/viaductctl/table.h"

namespace viaduct::ctl {
namespace {

using Align = Table::Align;

std::string age(const json::value& member, std::string_view key, std::uint64_t unit_ms) {
  return duration_text(number_of(member, key) * unit_ms);
}

bool is_null(const json::value& object, std::string_view key) {
  const auto* members = object.if_object();
  const auto* value = members ? members->if_contains(key) : nullptr;
  return !value || value->is_null();
}

/// "suspect: 2 accusers, dead in 3 s".
std::string state_text(const json::value& member) {
  std::string text = text_of(member, "state");
  if (text == "suspect")
    text += ": " + counted(number_of(member, "accusers"), "accuser") + ", dead in " +
            age(member, "dies_in_ms", 1);
  if (text_of(member, "mask") == "suspect") text += ", no new connections";
  if (flag_of(member, "cloned")) text += ", TWO NODES OF THIS NAME";
  return text;
}

std::string rows_of(const json::value& member) {
  if (!flag_of(member, "viaduct")) return "";
  std::string text = std::to_string(number_of(member, "rows"));
  if (flag_of(member, "restored")) text += " (from " + age(member, "rows_age_s", 1000) + " ago)";
  return text;
}

std::string version_of_rows(const json::value& member) {
  if (number_of(member, "epoch") == 0) return "";
  std::string text =
      std::to_string(number_of(member, "epoch")) + "." + std::to_string(number_of(member, "seq"));
  if (const auto lag = number_of(member, "lag"); lag > 0)
    text += ", " + std::to_string(lag) + " behind";
  return text;
}

std::string first_key(const json::value& member) {
  const json::array& keys = list_of(member, "keys");
  if (keys.empty() || !keys.front().is_string()) return "";
  return std::string(keys.front().get_string());
}

std::string heading(const json::value& cluster) {
  std::string text = "listens on " + text_of(cluster, "listen") +
                     (flag_of(cluster, "encrypted") ? ", encrypted" : ", NOT ENCRYPTED");
  if (const std::string label = text_of(cluster, "label"); !label.empty())
    text += ", label " + printable(label);
  if (const auto health = number_of(cluster, "health"); health > 0)
    text += ", doubts itself (" + std::to_string(health) + ")";
  if (flag_of(cluster, "left")) text += ", HAS LEFT";
  return text + "\n";
}

std::string notes(const json::value& cluster) {
  std::string text;
  if (const std::string error = text_of(cluster, "publish_error"); !error.empty())
    text += "the newest rows of this node are not published: " + printable(error) + "\n";
  for (const json::value& row : list_of(cluster, "rejected"))
    text += "rejected " + printable(text_of(row, "where")) + ": " +
            printable(text_of(row, "reason")) + "\n";
  return text;
}

std::string not_running(const json::value& cluster) {
  const std::string problem = text_of(cluster, "problem");
  return problem.empty() ? "this node is in no cluster: gossip.enabled is false\n"
                         : "gossip does not run: " + printable(problem) + "\n";
}

}  // namespace

std::string members_text(const json::value& cluster) {
  if (!flag_of(cluster, "enabled")) return not_running(cluster);
  Table table({{"NAME"},
               {"ADDRESS"},
               {"STATE"},
               {"SINCE", Align::right},
               {"HEARD", Align::right},
               {"INCARNATION", Align::right},
               {"ROWS", Align::right},
               {"TABLE"},
               {"KEY"},
               {"VERSION"}});
  for (const json::value& member : list_of(cluster, "members"))
    table.add({text_of(member, "name"), text_of(member, "endpoint"), state_text(member),
               age(member, "since_s", 1000),
               is_null(member, "heard_ms") ? "" : age(member, "heard_ms", 1),
               std::to_string(number_of(member, "incarnation")), rows_of(member),
               version_of_rows(member), first_key(member), text_of(member, "version")});
  return heading(cluster) + table.text() + notes(cluster);
}

json::value keys_json(const json::value& cluster) {
  std::set<std::string> ids;
  const auto collect = [&](const json::array& keys) {
    for (const json::value& key : keys)
      if (key.is_string()) ids.emplace(key.get_string());
  };
  collect(list_of(cluster, "keys"));
  for (const json::value& member : list_of(cluster, "members")) collect(list_of(member, "keys"));
  json::array keys;
  for (const std::string& id : ids) {
    json::array having, using_it, lacking;
    for (const json::value& member : list_of(cluster, "members")) {
      if (!flag_of(member, "viaduct") || text_of(member, "state") != "alive") continue;
      const json::array& held = list_of(member, "keys");
      const bool has = std::find(held.begin(), held.end(), json::value(id)) != held.end();
      (has ? having : lacking).emplace_back(text_of(member, "name"));
      if (first_key(member) == id) using_it.emplace_back(text_of(member, "name"));
    }
    const json::array& own = list_of(cluster, "keys");
    keys.push_back({{"id", id},
                    {"here", std::find(own.begin(), own.end(), json::value(id)) != own.end()},
                    {"primary", first_key(cluster) == id},
                    {"nodes", std::move(having)},
                    {"used_by", std::move(using_it)},
                    {"lacking", std::move(lacking)}});
  }
  return keys;
}

std::string keys_text(const json::value& cluster) {
  if (!flag_of(cluster, "enabled")) return not_running(cluster);
  Table table({{"KEY"},
               {"THIS NODE"},
               {"NODES THAT HAVE IT", Align::right},
               {"USE IT", Align::right},
               {"LACK IT"}});
  const json::value keys = keys_json(cluster);
  for (const json::value& key : keys.get_array()) {
    std::string lacking;
    for (const json::value& node : list_of(key, "lacking"))
      lacking += (lacking.empty() ? "" : " ") + std::string(node.get_string());
    table.add({text_of(key, "id"),
               flag_of(key, "primary") ? "encrypts with it"
               : flag_of(key, "here")  ? "has it"
                                       : "",
               std::to_string(list_of(key, "nodes").size()),
               std::to_string(list_of(key, "used_by").size()), lacking});
  }
  return keys.get_array().empty() ? "this cluster has no keys: nothing is encrypted\n"
                                  : table.text();
}

}  // namespace viaduct::ctl
