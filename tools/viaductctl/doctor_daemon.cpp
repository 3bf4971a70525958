// What doctor concludes from the daemon's own view: reachable, sources, services, data plane,
// kernel features.

#include <boost/json.hpp>

#include "tools/viaductctl/doctor.h"

namespace viaduct::ctl {
namespace {

Finding unreachable(const Facts& facts) {
  const std::string fix = facts.daemon_refused_permission
                              ? "run this as root or as a member of the group viaduct"
                              : "start viaductd (systemctl start viaductd; journalctl -u "
                                "viaductd), or name its socket with --socket";
  return {Level::fault, "daemon", "no answer on " + facts.socket + ": " + facts.daemon_error, fix};
}

Finding judge_source(const json::value& source) {
  const std::string name = text_of(source, "name");
  const std::string error = text_of(source, "last_error");
  const std::string check = "source " + name;
  const std::string fix = name.find("mesos") != std::string::npos
                              ? "check that the Mesos agent runs and that mesos.agent names it"
                              : "check files.directory and that viaductd may read it";
  if (!flag_of(source, "complete"))
    return {Level::fault, check,
            "never read since the start" + (error.empty() ? "" : ": " + error) +
                "; nothing is withdrawn before",
            fix};
  const std::string age = duration_text(number_of(source, "age_ms"));
  if (!error.empty())
    return {Level::fault, check, "failing: " + error + "; its rows of " + age + " ago stay in use",
            fix};
  if (const auto rejected = number_of(source, "rejected"))
    return {Level::warn, check,
            std::to_string(rejected) + (rejected == 1 ? " entry" : " entries") + " cannot be used",
            "viaductctl rows --rejected says why"};
  return {Level::ok, check, counted(number_of(source, "rows"), "row") + ", read " + age + " ago",
          ""};
}

Finding judge_services(const Facts& facts) {
  std::vector<std::string> refusing;
  for (const json::value& vip : *facts.vips) {
    bool ready = false;
    for (const json::value& backend : list_of(vip, "backend"))
      ready |= number_of(backend, "weight") > 0;
    if (!ready) refusing.push_back(text_of(vip, "vip"));
  }
  const std::string all = counted(facts.vips->size(), "VIP");
  if (refusing.empty()) return {Level::ok, "services", all, ""};
  return {Level::warn, "services",
          all + ", of which " + std::to_string(refusing.size()) +
              " refuse connections for want of a backend: " + some_of(refusing),
          "check the health of their tasks; viaductctl vip NAME shows the weights"};
}

Finding judge_dataplane(const json::value& status) {
  const json::value& dataplane = object_of(status, "dataplane");
  const std::string check = "data plane";
  if (!flag_of(dataplane, "enabled"))
    return {Level::warn, check, "off: VIPs do not work on this node",
            "set dataplane.enabled = true"};
  if (const std::string error = text_of(dataplane, "last_error"); !error.empty())
    return {Level::fault, check, "last write failed: " + error + "; it is tried again",
            "the next findings say what the kernel lacks; viaductd's log has the details"};
  std::vector<std::string> problems;
  for (const json::value& problem : list_of(dataplane, "problems"))
    problems.push_back(text_of(problem, "where") + ": " + text_of(problem, "reason"));
  if (!problems.empty())
    return {Level::fault, check, some_of(problems),
            "make room: raise the dataplane.max_* key, or remove services"};
  if (const auto pending = number_of(dataplane, "pending"))
    return {Level::warn, check, counted(pending, "operation") + " pending",
            "look again in some seconds"};
  const auto applied = number_of(dataplane, "applied_revision");
  if (applied != number_of(status, "revision"))
    return {Level::warn, check,
            "the kernel shows revision " + std::to_string(applied) + " of " +
                std::to_string(number_of(status, "revision")),
            "look again in some seconds"};
  return {Level::ok, check,
          text_of(dataplane, "state") + ", shows revision " + std::to_string(applied), ""};
}

}  // namespace

std::optional<std::string> lacking(const Facts& facts, std::string_view feature) {
  if (!facts.status) return std::nullopt;
  for (const json::value& one : list_of(*facts.status, "capabilities"))
    if (text_of(one, "name") == feature && !flag_of(one, "available"))
      return text_of(one, "detail");
  return std::nullopt;
}

std::vector<Finding> judge_daemon(const Facts& facts) {
  if (!facts.status) return {unreachable(facts)};
  const json::value& status = *facts.status;
  std::vector<Finding> found;
  found.push_back({Level::ok, "daemon",
                   "viaductd " + text_of(status, "version") + " on " + text_of(status, "node") +
                       ", up " + duration_text(number_of(status, "uptime_ms")),
                   ""});
  const auto& sources = list_of(status, "sources");
  if (sources.empty())
    found.push_back(
        {Level::warn, "sources", "none is configured", "set files.directory or mesos.agent"});
  for (const json::value& source : sources) found.push_back(judge_source(source));
  if (const auto conflicts = number_of(status, "merge_rejected"))
    found.push_back({Level::warn, "conflicts", counted(conflicts, "row") + " lost against others",
                     "viaductctl rows --rejected says which"});
  if (facts.vips) found.push_back(judge_services(facts));
  found.push_back(judge_dataplane(status));
  for (const json::value& capability : list_of(status, "capabilities"))
    if (!flag_of(capability, "available"))
      found.push_back({Level::warn, "feature " + text_of(capability, "name"),
                       "missing: " + text_of(capability, "detail"),
                       "none needed unless that hurts; a newer kernel or its module has it"});
  return found;
}

}  // namespace viaduct::ctl
