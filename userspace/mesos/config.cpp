#include "mesos/config.h"

#include "config/check.h"

namespace viaduct::mesos {
namespace {

constexpr std::int64_t kMaxWaitMs = 600'000;
constexpr std::int64_t kMaxAnswerBytes = std::int64_t{1} << 30;

std::optional<std::string> check_order(const config::Values& values) {
  if (values.integer("mesos.poll_min_ms") <= values.integer("mesos.poll_max_ms"))
    return std::nullopt;
  return "is less than mesos.poll_min_ms";
}

std::optional<std::string> check_credentials(const config::Values& values) {
  if (values.string("mesos.user").empty() == values.string("mesos.password_file").empty())
    return std::nullopt;
  return "and mesos.user belong together: set both or none";
}

std::vector<config::Key> agent_keys() {
  return {
      {.name = "mesos.agent",
       .fallback = "",
       .help = "This node's Mesos agent, for example \"http://127.0.0.1:5051\"; empty: off.",
       .check = config::check_http_origin_or_empty},
      {.name = "mesos.poll_min_ms",
       .fallback = std::int64_t{1'000},
       .help = "Time between polls while the agent's tasks change.",
       .unit = "ms",
       .range = config::Range{100, kMaxWaitMs}},
      {.name = "mesos.poll_max_ms",
       .fallback = std::int64_t{5'000},
       .help = "Time between polls when nothing has changed for a while, or the agent fails.",
       .unit = "ms",
       .range = config::Range{100, kMaxWaitMs}},
      {.name = "mesos.timeout_ms",
       .fallback = std::int64_t{5'000},
       .help = "Time that the agent has for one whole answer.",
       .unit = "ms",
       .range = config::Range{10, kMaxWaitMs}},
      {.name = "mesos.max_answer_bytes",
       .fallback = std::int64_t{64 << 20},
       .help = "Largest answer that is read; a larger one is an error and changes nothing.",
       .unit = "bytes",
       .range = config::Range{1024, kMaxAnswerBytes}},
      {.name = "mesos.user",
       .fallback = "",
       .help = "User name for basic authentication; empty: none."},
      {.name = "mesos.password_file",
       .fallback = "",
       .help = "File with the user's password; a line break at its end does not count.",
       .check = config::check_absolute_path_or_empty},
  };
}

}  // namespace

const std::vector<config::Key>& keys() {
  static const std::vector<config::Key> list = [] {
    std::vector<config::Key> all = agent_keys();
    for (const config::Key& key : master_keys()) all.push_back(key);
    return all;
  }();
  return list;
}

const std::vector<config::Rule>& rules() {
  static const std::vector<config::Rule> list = [] {
    std::vector<config::Rule> all = {{"mesos.poll_max_ms", check_order},
                                     {"mesos.password_file", check_credentials}};
    for (const config::Rule& rule : master_rules()) all.push_back(rule);
    return all;
  }();
  return list;
}

Config from(const config::Values& values) {
  const auto milliseconds = [&](std::string_view name) {
    return std::chrono::milliseconds(values.integer(name));
  };
  Config out;
  if (auto origin = http::parse_origin(values.string("mesos.agent"))) out.agent = *origin;
  out.poll_min = milliseconds("mesos.poll_min_ms");
  out.poll_max = milliseconds("mesos.poll_max_ms");
  out.timeout = milliseconds("mesos.timeout_ms");
  out.max_answer_bytes = static_cast<std::size_t>(values.integer("mesos.max_answer_bytes"));
  out.user = values.string("mesos.user");
  out.password_file = values.string("mesos.password_file");
  out.master = master_from(values);
  return out;
}

}  // namespace viaduct::mesos
