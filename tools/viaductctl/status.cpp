#include "tools/viaductctl/status.h"

#include <algorithm>
#include <boost/json.hpp>

#include "tools/viaductctl/table.h"

namespace viaduct::ctl {
namespace {

std::string line(std::string_view name, const std::string& value) {
  std::string out(name);
  out.resize(13, ' ');
  return out + printable(value) + "\n";
}

std::string count(const json::value& object, std::string_view key) {
  return std::to_string(number_of(object, key));
}

std::string joined(const json::array& texts) {
  std::string out;
  for (const json::value& text : texts)
    if (text.is_string()) out += (out.empty() ? "" : ", ") + std::string(text.get_string());
  return out;
}

/// From so many parts of a hundred on a map's fill stands out.
constexpr std::uint64_t kTellPercent = 90;

std::uint64_t percent_of(std::uint64_t used, std::uint64_t capacity) {
  return capacity ? used * 100 / capacity : 0;
}

std::string dataplane_text(const json::value& status) {
  const json::value& dataplane = object_of(status, "dataplane");
  if (!flag_of(dataplane, "enabled")) return line("data plane", "off");
  std::string state = text_of(dataplane, "state");
  const bool current = number_of(dataplane, "applied_revision") == number_of(status, "revision");
  state += current ? ", up to date" : ", shows revision " + count(dataplane, "applied_revision");
  if (number_of(dataplane, "pending"))
    state += ", " + counted(number_of(dataplane, "pending"), "operation") + " pending";
  std::string out = line("data plane", state);
  if (const std::string error = text_of(dataplane, "last_error"); !error.empty())
    out += line("", "last error: " + error);
  for (const json::value& problem : list_of(dataplane, "problems"))
    out += line("", text_of(problem, "where") + ": " + text_of(problem, "reason"));
  std::string maps;
  for (const json::value& map : list_of(dataplane, "maps")) {
    maps += (maps.empty() ? "" : ", ") + text_of(map, "name") + " " + count(map, "used") + "/" +
            count(map, "capacity");
    if (const auto percent = percent_of(number_of(map, "used"), number_of(map, "capacity"));
        percent >= kTellPercent)
      maps += " (" + std::to_string(percent) + " % full)";
  }
  if (!maps.empty()) out += line("maps", maps);
  const auto failed = number_of(dataplane, "sockets_failed");
  if (failed || number_of(dataplane, "sockets_destroyed"))
    out += line("sockets", count(dataplane, "sockets_destroyed") +
                               " destroyed because their backend is gone" +
                               (failed ? ", " + counted(failed, "attempt") + " failed" : ""));
  return out;
}

std::string dns_text(const json::value& status) {
  const json::value& dns = object_of(status, "dns");
  if (!flag_of(dns, "enabled")) return line("DNS", "off");
  const std::string listening = joined(list_of(dns, "listening"));
  return line("DNS", counted(number_of(dns, "records"), "record") + ", " + count(dns, "queries") +
                         " queries, " +
                         (listening.empty() ? "listens nowhere" : "listens on " + listening));
}

std::string master_text(const json::value& status) {
  const json::value& master = object_of(status, "mesos_master");
  if (!flag_of(master, "enabled")) return "";
  const std::string leader = text_of(master, "leader");
  std::string state = leader.empty()                 ? "nobody answers"
                      : flag_of(master, "streaming") ? leader + " tells its events"
                                                     : leader + " is polled";
  if (flag_of(master, "known"))
    state += ", last heard " + duration_text(number_of(master, "age_ms")) + " ago";
  else
    state += ", never heard since the start: names in mesos are not answered";
  std::string out = line("Mesos master", state);
  std::string known = counted(number_of(master, "tasks"), "task");
  if (number_of(master, "held"))
    known += " (" + count(master, "held") + " held until their agents are back)";
  out += line("", known + ", " + counted(number_of(master, "agents"), "agent") + ", " +
                      counted(number_of(master, "frameworks"), "framework"));
  if (const std::string error = text_of(master, "last_error"); !error.empty())
    out += line("", "failing: " + error);
  if (const std::string zookeeper = text_of(master, "zookeeper"); !zookeeper.empty())
    out += line("", "ZooKeeper: " + zookeeper);
  return out;
}

std::string source_text(const json::value& source) {
  std::string out = text_of(source, "name") + ": " + counted(number_of(source, "rows"), "row") +
                    ", " + count(source, "rejected") + " rejected, ";
  out += flag_of(source, "complete") ? "read " + duration_text(number_of(source, "age_ms")) + " ago"
                                     : "never read since the start";
  const std::string error = text_of(source, "last_error");
  return error.empty() ? out : out + "; failing: " + error;
}

}  // namespace

void add_usage(json::value& status, const std::vector<MapFacts>& maps) {
  auto* object = status.if_object();
  auto* dataplane = object ? object->if_contains("dataplane") : nullptr;
  if (!dataplane || !dataplane->is_object()) return;
  json::value& list = dataplane->get_object()["maps"];
  if (!list.is_array()) list = json::array();
  for (const MapFacts& map : maps) {
    const auto is_there = [&](const json::value& one) { return text_of(one, "name") == map.name; };
    if (std::ranges::none_of(list.get_array(), is_there))
      list.get_array().push_back(
          {{"name", map.name}, {"used", map.used}, {"capacity", map.capacity}});
  }
}

std::string status_text(const json::value& status) {
  std::string out = line("node", text_of(status, "node") + " (" + text_of(status, "address") + ")");
  out += line("version",
              text_of(status, "version") + ", up " + duration_text(number_of(status, "uptime_ms")));
  out += line("services",
              count(status, "services") + " with " +
                  counted(number_of(status, "backends"), "backend") + ", revision " +
                  count(status, "revision") +
                  (flag_of(status, "complete") ? "" : ", incomplete: nothing is withdrawn yet"));
  out += dataplane_text(status) + dns_text(status) + master_text(status);
  std::string_view name = "sources";
  for (const json::value& source : list_of(status, "sources")) {
    out += line(name, source_text(source));
    name = "";
  }
  name = "features";
  for (const json::value& capability : list_of(status, "capabilities")) {
    const std::string detail = text_of(capability, "detail");
    out += line(name, text_of(capability, "name") +
                          (flag_of(capability, "available") ? "" : " is missing") +
                          (detail.empty() ? "" : ": " + detail));
    name = "";
  }
  return out;
}

}  // namespace viaduct::ctl
