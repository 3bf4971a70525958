#include "daemon/config.h"

#include "config/check.h"

namespace viaduct::daemon {
namespace {

const std::vector<config::Key>& own_keys() {
  static const std::vector<config::Key> all = {
      {.name = "node.name",
       .fallback = std::string(),
       .help = "This node's name; empty: the host's.",
       .check = config::check_node_name_or_empty},
      {.name = "node.address",
       .fallback = std::string(),
       .help = "This node's IPv4 address, as others reach it; empty: the source address of the "
               "default route, else the first "
               "global one.",
       .check = config::check_ipv4_or_empty},
      {.name = "node.address6",
       .fallback = std::string(),
       .help = "This node's IPv6 address, as others reach it; empty: the source address of the "
               "default route, if there is one.",
       .check = config::check_ipv6_or_empty},
      {.name = "node.state",
       .fallback = std::string("/run/viaduct"),
       .help = "Folder for what is remembered over a restart of the daemon, but not of the "
               "machine; empty: nothing.",
       .check = config::check_absolute_path_or_empty},
      {.name = "log.level",
       .fallback = std::string("info"),
       .help = "Least level that is logged.",
       .choices = {"debug", "info", "warn", "error"}},
      {.name = "log.format",
       .fallback = std::string("logfmt"),
       .help = "Form of a log line.",
       .choices = {"logfmt", "json"}},
      {.name = "l4lb.range4",
       .fallback = std::string("11.0.0.0-11.255.255.255"),
       .help = "IPv4 addresses for named VIPs, first and last.",
       .check = config::check_ipv4_range},
      {.name = "l4lb.range6",
       .fallback = std::string("fd01:c::-fd01:c::ffff:ffff:ffff:ffff"),
       .help = "IPv6 addresses for named VIPs, first and last.",
       .check = config::check_ipv6_range},
      {.name = "l4lb.ipv6",
       .fallback = true,
       .help = "Whether VIPs have IPv6 addresses and backends."},
  };
  return all;
}

std::optional<std::string> check_mesos_master(const config::Values& values) {
  if (values.string("dns.mesos") != "master" || !values.string_list("mesos.masters").empty() ||
      !values.string("mesos.zk").empty())
    return std::nullopt;
  return "is master, but neither mesos.masters nor mesos.zk says where the masters are";
}

}  // namespace

config::Schema schema() {
  config::Schema all;
  all.add(own_keys())
      .add(api::keys())
      .add(files::keys())
      .add(mesos::keys())
      .add(gossip::keys())
      .add(dataplane::keys())
      .add(dns::keys());
  all.rules = mesos::rules();
  for (auto rules : {gossip::rules(), dns::rules()})
    for (config::Rule& rule : rules) all.rules.push_back(std::move(rule));
  all.rules.push_back({"dns.mesos", check_mesos_master});
  return all;
}

Config from(const config::Values& values) {
  Config config;
  config.node_name = values.string("node.name");
  config.node_address = values.string("node.address");
  config.node_address6 = values.string("node.address6");
  config.state_folder = values.string("node.state");
  config.log_level = values.string("log.level");
  config.log_format = values.string("log.format");
  const auto range4 = config::parse_address_range(values.string("l4lb.range4"));
  const auto range6 = config::parse_address_range(values.string("l4lb.range6"));
  config.ranges = {range4->first, range4->second, range6->first, range6->second};
  config.enable_ipv6 = values.boolean("l4lb.ipv6");
  config.api = api::Config::from(values);
  config.files = files::from(values);
  config.gossip = gossip::from(values);
  config.mesos = mesos::from(values);
  config.dataplane = dataplane::from(values);
  config.dns = dns::from(values);
  return config;
}

}  // namespace viaduct::daemon
