#include "dns/mesos_config.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace viaduct::dns {
namespace {

std::vector<std::string> to_strings(const std::vector<zones::IpSource>& sources) {
  std::vector<std::string> texts;
  for (const zones::IpSource source : sources)
    texts.emplace_back(zones::kIpSourceNames[static_cast<std::size_t>(source)]);
  return texts;
}

std::optional<zones::IpSource> parse_ip_source(std::string_view text) {
  const auto found =
      std::find(std::begin(zones::kIpSourceNames), std::end(zones::kIpSourceNames), text);
  if (found == std::end(zones::kIpSourceNames)) return std::nullopt;
  return static_cast<zones::IpSource>(found - std::begin(zones::kIpSourceNames));
}

std::optional<std::string> check_ip_source(std::string_view text) {
  if (parse_ip_source(text)) return std::nullopt;
  return "is none of host, docker, mesos, netinfo";
}

/// What all zones but `mesos` lie in.
constexpr std::string_view kOwnTrees[] = {
    "spartan",         "localhost",    "zk",      "thisdcos.directory",
    "thisdcos.global", "in-addr.arpa", "ip6.arpa"};
// An SOA then fits the kernel's table, and there is room for names in the domain.
constexpr std::size_t kMaxDomainCharacters = 80;
constexpr std::size_t kMaxSoaNameCharacters = 98;
constexpr config::Range kSoaTimes{0, 0x7fffffff};

std::optional<std::string> check_mesos_domain(std::string_view text) {
  const auto domain = Name::parse(text);
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c == '.' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  });
  if (!domain || domain->is_root() || !plain)
    return "is not a domain of letters, digits and dashes, such as mesos";
  if (text.size() > kMaxDomainCharacters) return "is longer than 80 characters";
  for (const std::string_view own : kOwnTrees) {
    const Name tree = Name::parse(own).value();
    if (domain->is_within(tree) || tree.is_within(*domain))
      return "overlaps " + std::string(own) + ", which is served anyway";
  }
  return {};
}

/// "root@ns1.mesos" is "root.ns1.mesos".
base::Result<Name> parse_soa_name(std::string_view text) {
  std::string name(text);
  std::replace(name.begin(), name.end(), '@', '.');
  return Name::parse(name);
}

std::optional<std::string> check_soa_name_or_empty(std::string_view text) {
  if (text.empty()) return {};
  const auto name = parse_soa_name(text);
  if (!name || name->is_root()) return "is not a domain name";
  if (text.size() > kMaxSoaNameCharacters) return "is longer than 98 characters";
  return {};
}

std::optional<std::string> check_ip_sources(const config::Values& values) {
  const auto& sources = values.string_list("dns.mesos_ip_sources");
  if (sources.empty()) return "is empty";
  if (std::set(sources.begin(), sources.end()).size() == sources.size()) return std::nullopt;
  return "names a source twice";
}

std::optional<std::string> check_mesos(const config::Values& values) {
  if (values.string("dns.mesos") != "forward" || !values.string_list("dns.masters").empty())
    return std::nullopt;
  return "is \"forward\", which needs dns.masters";
}

}  // namespace

std::vector<config::Rule> mesos_rules() {
  return {{"dns.mesos", check_mesos}, {"dns.mesos_ip_sources", check_ip_sources}};
}

std::vector<config::Key> mesos_keys() {
  const ZoneOptions defaults;
  const auto integer = [](auto value) { return static_cast<std::int64_t>(value); };
  return {
      {.name = "dns.mesos",
       .fallback = "local",
       .help = "Where names in the zone mesos come from: the tasks that nodes publish (local), "
               "what the leading master says (master, on nodes that ask it: mesos.masters, "
               "mesos.zk), the Mesos-DNS of dns.masters (forward), or nowhere (off).",
       .choices = {"local", "master", "forward", "off"}},
      {.name = "dns.mesos_ip_sources",
       .fallback = to_strings(defaults.ip_sources),
       .help = "Where the addresses of names in the zone mesos come from; the first of host, "
               "docker, mesos and netinfo that has any counts.",
       .check = check_ip_source},
      {.name = "dns.mesos_domain",
       .fallback = "mesos",
       .help = "What the zone mesos is called; its copy mesos.thisdcos.directory keeps its name.",
       .check = check_mesos_domain},
      {.name = "dns.mesos_ttl_s",
       .fallback = std::int64_t{-1},
       .help = "How long clients may keep records of the zone mesos; -1: dns.ttl_s.",
       .unit = "s",
       .range = config::Range{-1, 86400}},
      {.name = "dns.mesos_label_rule",
       .fallback = "rfc1123",
       .help = "How labels of the zone mesos are made of tasks' and frameworks' names: rfc1123 "
               "(63 characters) or rfc952 (24, no digit first).",
       .choices = {"rfc1123", "rfc952"}},
      {.name = "dns.mesos_srv_weight",
       .fallback = integer(defaults.mesos_srv_weight),
       .help = "Weight of all SRV records of the zone mesos.",
       .range = config::Range{0, 65535}},
      {.name = "dns.mesos_soa_mname",
       .fallback = std::string(),
       .help = "The server that the SOA and NS of the zone mesos name; empty: ns1 in the zone. "
               "In the zone it leads to dns.listen.",
       .check = check_soa_name_or_empty},
      {.name = "dns.mesos_soa_rname",
       .fallback = std::string(),
       .help = "The mailbox of that SOA, as a name or with @; empty: root before the server.",
       .check = check_soa_name_or_empty},
      {.name = "dns.mesos_soa_refresh_s",
       .fallback = integer(defaults.mesos_soa.refresh_s),
       .help = "Refresh of that SOA.",
       .unit = "s",
       .range = kSoaTimes},
      {.name = "dns.mesos_soa_retry_s",
       .fallback = integer(defaults.mesos_soa.retry_s),
       .help = "Retry of that SOA.",
       .unit = "s",
       .range = kSoaTimes},
      {.name = "dns.mesos_soa_expire_s",
       .fallback = integer(defaults.mesos_soa.expire_s),
       .help = "Expire of that SOA.",
       .unit = "s",
       .range = kSoaTimes},
      {
          .name = "dns.mesos_recursion",
          .fallback = defaults.mesos_recursion,
          .help =
              "Whether, with dns.mesos = \"master\", answers about the zone mesos always say "
              "that recursion is available, as Mesos-DNS does; else only if names are forwarded.",
      },
  };
}

void take_mesos(const config::Values& values, ZoneOptions& zones) {
  const std::string mesos = values.string("dns.mesos");
  zones.mesos = mesos == "local"    ? MesosMode::local
                : mesos == "master" ? MesosMode::master
                                    : MesosMode::off;
  zones.ip_sources.clear();
  for (const std::string& text : values.string_list("dns.mesos_ip_sources"))
    zones.ip_sources.push_back(*parse_ip_source(text));
  const auto number = [&](std::string_view key) {
    return static_cast<std::uint32_t>(values.integer(key));
  };
  zones.mesos_domain = Name::parse(values.string("dns.mesos_domain"))->folded();
  if (values.integer("dns.mesos_ttl_s") >= 0) zones.mesos_ttl_s = number("dns.mesos_ttl_s");
  zones.mesos_labels = values.string("dns.mesos_label_rule") == "rfc952"
                           ? zones::LabelRule::rfc952
                           : zones::LabelRule::rfc1123;
  zones.mesos_srv_weight = static_cast<std::uint16_t>(number("dns.mesos_srv_weight"));
  if (const std::string& text = values.string("dns.mesos_soa_mname"); !text.empty())
    zones.mesos_soa.primary = *parse_soa_name(text);
  if (const std::string& text = values.string("dns.mesos_soa_rname"); !text.empty())
    zones.mesos_soa.mailbox = *parse_soa_name(text);
  zones.mesos_soa.refresh_s = number("dns.mesos_soa_refresh_s");
  zones.mesos_soa.retry_s = number("dns.mesos_soa_retry_s");
  zones.mesos_soa.expire_s = number("dns.mesos_soa_expire_s");
  zones.mesos_recursion = values.boolean("dns.mesos_recursion");
}

}  // namespace viaduct::dns
