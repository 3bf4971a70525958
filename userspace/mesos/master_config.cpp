#include "mesos/master_config.h"

#include <algorithm>
#include <optional>
#include <set>

#include "config/check.h"
#include "zookeeper/url.h"

namespace viaduct::mesos {
namespace {

constexpr std::int64_t kMaxWaitMs = 600'000;
constexpr std::int64_t kMaxHoldMs = 86'400'000;
constexpr std::int64_t kMaxAnswerBytes = std::int64_t{4} << 30;

std::optional<std::string> check_master(std::string_view text) {
  if (base::Endpoint::parse(text)) return std::nullopt;
  const auto host = text.substr(0, text.rfind(':'));
  if (!base::Address::parse(text) && !host.empty() && host.find_first_of("[]:/@ ") == host.npos &&
      host.find_first_not_of("0123456789.") != host.npos)
    return "names a master by a host name; give its address and port, as in 192.0.2.1:5050";
  return "is not of the form address:port or [IPv6 address]:port";
}

std::optional<std::string> check_zookeeper(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto url = zookeeper::parse_url(text);
  if (url) return std::nullopt;
  return "is not of the form zk://address:port,address:port/path: " + url.error().context;
}

std::optional<std::string> check_masters(const config::Values& values) {
  const auto& masters = values.string_list("mesos.masters");
  if (masters.size() > kMaxConfiguredMasters)
    return "has more than " + std::to_string(kMaxConfiguredMasters) + " elements";
  std::set<base::Endpoint> seen;
  for (const std::string& text : masters)
    if (const auto master = base::Endpoint::parse(text); master && !seen.insert(*master).second)
      return "has " + master->to_string() + " twice";
  return std::nullopt;
}

std::optional<std::string> check_password(const config::Values& values) {
  if (values.string("mesos.master_user").empty() ==
      values.string("mesos.master_password_file").empty())
    return std::nullopt;
  return "and mesos.master_user belong together: set both or none";
}

std::optional<std::string> check_token(const config::Values& values) {
  if (values.string("mesos.master_token_file").empty() ||
      values.string("mesos.master_user").empty())
    return std::nullopt;
  return "and mesos.master_user exclude each other";
}

std::optional<std::string> check_certificate(const config::Values& values) {
  if (values.string("mesos.certificate_file").empty() == values.string("mesos.key_file").empty())
    return std::nullopt;
  return "and mesos.certificate_file belong together: set both or none";
}

std::optional<std::string> check_tls(const config::Values& values) {
  if (values.boolean("mesos.tls")) return std::nullopt;
  for (const char* key : {"mesos.ca_file", "mesos.certificate_file"})
    if (!values.string(key).empty()) return "is false, but " + std::string(key) + " is set";
  return std::nullopt;
}

}  // namespace

const std::vector<config::Key>& master_keys() {
  static const std::vector<config::Key> list = [] {
    const MasterConfig defaults;
    const auto ms = [](std::chrono::milliseconds time) { return std::int64_t{time.count()}; };
    return std::vector<config::Key>{
        {.name = "mesos.masters",
         .fallback = std::vector<std::string>{},
         .help = "The Mesos masters, each as address:port, in the order of their numbers; the one "
                 "that leads tells this node of the whole cluster. Empty, and mesos.zk too: off.",
         .check = check_master},
        {.name = "mesos.zk",
         .fallback = "",
         .help = "Where ZooKeeper says who leads, for example \"zk://192.0.2.1:2181/mesos\"; "
                 "empty: the masters are asked.",
         .check = check_zookeeper,
         .secret = true},
        {.name = "mesos.zk_timeout_ms",
         .fallback = ms(defaults.zookeeper_timeout),
         .help = "Time after which ZooKeeper takes our session for dead.",
         .unit = "ms",
         .range = config::Range{1000, kMaxWaitMs}},
        {.name = "mesos.refresh_ms",
         .fallback = ms(defaults.refresh),
         .help = "Time between polls of a master that has no event stream.",
         .unit = "ms",
         .range = config::Range{1000, 3'600'000}},
        {.name = "mesos.master_timeout_ms",
         .fallback = ms(defaults.timeout),
         .help = "Time without any octet of a master's answer after which the next one is asked.",
         .unit = "ms",
         .range = config::Range{100, kMaxWaitMs}},
        {.name = "mesos.master_max_answer_bytes",
         .fallback = static_cast<std::int64_t>(defaults.max_answer_bytes),
         .help = "Largest record or state of a master that is read; a larger one is an error and "
                 "changes nothing.",
         .unit = "bytes",
         .range = config::Range{65536, kMaxAnswerBytes}},
        {.name = "mesos.hold_ms",
         .fallback = ms(defaults.hold),
         .help = "How long tasks are served whose agent a new leader has yet to hear of.",
         .unit = "ms",
         .range = config::Range{0, kMaxHoldMs}},
        {.name = "mesos.tls",
         .fallback = defaults.tls,
         .help = "Whether masters are asked over TLS."},
        {.name = "mesos.ca_file",
         .fallback = "",
         .help = "Certificates in PEM that masters are trusted by; empty: the system's.",
         .check = config::check_absolute_path_or_empty},
        {.name = "mesos.certificate_file",
         .fallback = "",
         .help = "This node's certificate in PEM, with its chain, for masters that want one.",
         .check = config::check_absolute_path_or_empty},
        {.name = "mesos.key_file",
         .fallback = "",
         .help = "The key of mesos.certificate_file in PEM.",
         .check = config::check_absolute_path_or_empty},
        {.name = "mesos.master_user",
         .fallback = "",
         .help = "User name for basic authentication at masters; empty: none."},
        {.name = "mesos.master_password_file",
         .fallback = "",
         .help = "File with the user's password; a line break at its end does not count.",
         .check = config::check_absolute_path_or_empty},
        {.name = "mesos.master_token_file",
         .fallback = "",
         .help = "File with a token for masters; a line break at its end does not count.",
         .check = config::check_absolute_path_or_empty},
        {.name = "mesos.master_token_scheme",
         .fallback = defaults.token_scheme,
         .help = "What stands before the token: \"Bearer\", or \"token=\" for DC/OS.",
         .choices = {std::string(kBearerTokenScheme), std::string(kDcosTokenScheme)}},
    };
  }();
  return list;
}

const std::vector<config::Rule>& master_rules() {
  static const std::vector<config::Rule> list = {{"mesos.masters", check_masters},
                                                 {"mesos.tls", check_tls},
                                                 {"mesos.key_file", check_certificate},
                                                 {"mesos.master_password_file", check_password},
                                                 {"mesos.master_token_file", check_token}};
  return list;
}

MasterConfig master_from(const config::Values& values) {
  const auto milliseconds = [&](std::string_view name) {
    return std::chrono::milliseconds(values.integer(name));
  };
  MasterConfig out;
  for (const std::string& text : values.string_list("mesos.masters"))
    out.masters.push_back(*base::Endpoint::parse(text));
  out.zookeeper = values.string("mesos.zk");
  out.zookeeper_timeout = milliseconds("mesos.zk_timeout_ms");
  out.refresh = milliseconds("mesos.refresh_ms");
  out.timeout = milliseconds("mesos.master_timeout_ms");
  out.max_answer_bytes = static_cast<std::size_t>(values.integer("mesos.master_max_answer_bytes"));
  out.hold = milliseconds("mesos.hold_ms");
  out.tls = values.boolean("mesos.tls");
  out.ca_file = values.string("mesos.ca_file");
  out.certificate_file = values.string("mesos.certificate_file");
  out.key_file = values.string("mesos.key_file");
  out.user = values.string("mesos.master_user");
  out.password_file = values.string("mesos.master_password_file");
  out.token_file = values.string("mesos.master_token_file");
  out.token_scheme = values.string("mesos.master_token_scheme");
  return out;
}

}  // namespace viaduct::mesos
