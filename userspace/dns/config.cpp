#include "dns/config.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "base/errors.h"
#include "config/check.h"
#include "dns/mesos_config.h"
#include "dns/resolv_conf.h"
#include "dns/zones/custom.h"

namespace viaduct::dns {
namespace {

// Together with the zones that are always there they stay within kMaxSuffixes.
constexpr std::size_t kMaxMasters = 32;
constexpr std::size_t kMaxContainerSubnets = 16;
constexpr std::size_t kMaxCustomZones = 12;  ///< with two suffixes each
constexpr std::size_t kMaxCnames = 256;
constexpr std::size_t kCustomZoneLabels = 3;  ///< of <label>.thisdcos.directory
constexpr std::uint8_t kMinContainerPrefix = 8;

std::vector<std::string> to_strings(const std::vector<base::Address>& addresses) {
  std::vector<std::string> texts;
  for (const base::Address& address : addresses) texts.push_back(address.to_string());
  return texts;
}

/// A domain as it may stand in a search list.
std::optional<std::string> check_domain(std::string_view text) {
  const auto name = Name::parse(text);
  if (!name || name->is_root()) return "is not a domain";
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != '#' && c != ';';
  });
  return plain ? std::nullopt : std::optional<std::string>("is not a domain");
}

std::optional<std::string> check_container_subnet(std::string_view text) {
  const auto subnet = base::Subnet::parse(text);
  if (subnet && subnet->prefix >= kMinContainerPrefix) return std::nullopt;
  return subnet ? "has a prefix shorter than 8 bits" : "is not a subnet such as 192.0.2.0/24";
}

std::optional<std::string> check_cname(std::string_view text) {
  const auto parsed = zones::parse_cname(text);
  return parsed ? std::nullopt : std::optional(parsed.error().context);
}

std::optional<std::string> check_limit(const config::Values& values, std::string_view key,
                                       std::size_t limit) {
  if (values.string_list(key).size() <= limit) return std::nullopt;
  return "has more than " + std::to_string(limit) + " elements";
}

std::optional<std::string> check_masters(const config::Values& values) {
  return check_limit(values, "dns.masters", kMaxMasters);
}

std::optional<std::string> check_containers(const config::Values& values) {
  return check_limit(values, "dns.container_subnets", kMaxContainerSubnets);
}

std::optional<std::string> check_cnames(const config::Values& values) {
  std::set<Name> names;
  std::set<Name> zones;
  for (const std::string& text : values.string_list("dns.cnames")) {
    const auto cname = zones::parse_cname(text);
    if (!cname) continue;
    Name zone = cname->name.folded();
    if (!names.insert(zone).second) return "has " + cname->name.to_text() + " twice";
    while (zone.label_count() > kCustomZoneLabels) zone = zone.parent();
    zones.insert(zone);
  }
  if (names.size() > kMaxCnames) return check_limit(values, "dns.cnames", kMaxCnames);
  if (zones.size() <= kMaxCustomZones) return std::nullopt;
  return "has names in more than " + std::to_string(kMaxCustomZones) + " zones";
}

std::optional<std::string> check_upstream(std::string_view text) {
  if (forward::parse_upstream(text)) return std::nullopt;
  return "is not of the form address, address:port or [IPv6 address]:port";
}

std::optional<std::string> check_forward_zone(std::string_view text) {
  const auto zone = forward::parse_forward_zone(text);
  if (zone) return std::nullopt;
  if (zone.error().code == base::Errc::too_large)
    return "has a name that is too long, or more than " +
           std::to_string(forward::kMaxUpstreamsPerRoute) + " upstreams";
  return "is not of the form zone=address,address:port,...";
}

/// An upstream that is one of our own listening addresses.
std::optional<std::string> find_loop(const config::Values& values,
                                     const std::vector<base::Endpoint>& upstreams) {
  const Config config = from(values);
  for (const base::Endpoint& upstream : upstreams)
    if (is_ourselves(upstream, config.listen, config.port))
      return "names " + upstream.to_string() + ", which is this server itself (dns.listen)";
  return std::nullopt;
}

/// The Mesos-DNS of the masters, where DC/OS has it.
forward::ForwardZone mesos_dns(const ZoneOptions& zones) {
  constexpr std::uint16_t kPort = 61053;
  forward::ForwardZone zone{zones.mesos_domain, {}};
  for (const base::Address& master : zones.masters.all) zone.upstreams.push_back({master, kPort});
  zone.upstreams.resize(std::min(zone.upstreams.size(), forward::kMaxUpstreamsPerRoute));
  return zone;
}

std::optional<std::string> check_upstreams(const config::Values& values) {
  const forward::Options options = from(values).forward;
  if (options.upstreams.size() > forward::kMaxUpstreamsPerRoute)
    return "has more than " + std::to_string(forward::kMaxUpstreamsPerRoute) + " upstreams";
  return find_loop(values, options.upstreams);
}

std::optional<std::string> check_forward_zones(const config::Values& values) {
  const forward::Options options = from(values).forward;
  if (options.zones.size() > forward::kMaxForwardZones)
    return "has more than " + std::to_string(forward::kMaxForwardZones) + " zones";
  for (auto zone = options.zones.begin(); zone != options.zones.end(); ++zone) {
    if (auto loop = find_loop(values, zone->upstreams)) return loop;
    if (std::any_of(options.zones.begin(), zone,
                    [&](const forward::ForwardZone& other) { return other.apex == zone->apex; }))
      return "has " + zone->apex.to_text() + " twice";
  }
  return std::nullopt;
}

std::optional<std::string> check_client(std::string_view text) {
  if (base::Subnet::parse(text)) return std::nullopt;
  return "is neither an address nor a subnet such as 192.0.2.0/24";
}

}  // namespace

std::vector<config::Rule> rules() {
  std::vector<config::Rule> list = {
      {"dns.search",
       [](const config::Values& values) -> std::optional<std::string> {
         const auto domains = values.string_list("dns.search");
         std::size_t octets = 0;
         for (const std::string& domain : domains) octets += domain.size() + 1;
         if (domains.size() > kMaxSearchDomains || octets > kMaxSearchOctets)
           return "has more than 6 domains or 256 characters, which resolvers do not read";
         return {};
       }},
      {"dns.resolv_conf",
       [](const config::Values& values) -> std::optional<std::string> {
         if (values.string("dns.resolv_conf").empty() || values.integer("dns.port") == 53)
           return {};
         return "needs dns.port = 53: a resolv.conf names no ports";
       }},
      {"dns.masters", check_masters},
      {"dns.container_subnets", check_containers},
      {"dns.cnames", check_cnames},
      {"dns.upstreams", check_upstreams},
      {"dns.forward_zones", check_forward_zones},
  };
  for (config::Rule& rule : mesos_rules()) list.push_back(std::move(rule));
  return list;
}

bool is_ourselves(const base::Endpoint& upstream, const std::vector<base::Address>& listen,
                  std::uint16_t port) {
  if (upstream.port != port) return false;
  return std::any_of(listen.begin(), listen.end(), [&](const base::Address& address) {
    return address == upstream.address || upstream.address.is_unspecified() ||
           (address.is_unspecified() && upstream.address.is_loopback());
  });
}

const std::vector<config::Key>& keys() {
  static const std::vector<config::Key> list = [] {
    const Config defaults;
    const auto integer = [](auto value) { return static_cast<std::int64_t>(value); };
    std::vector<config::Key> all = {
        {.name = "dns.enabled",
         .fallback = defaults.enabled,
         .help = "Whether DNS is answered at all."},
        {.name = "dns.listen",
         .fallback = to_strings(defaults.listen),
         .help = "Addresses that queries are answered on, over UDP and TCP.",
         .check = config::check_address},
        {.name = "dns.port",
         .fallback = integer(defaults.port),
         .help = "Port of all addresses.",
         .range = config::Range{1, 65535}},
        {.name = "dns.workers",
         .fallback = integer(defaults.workers),
         .help = "Threads that answer UDP queries.",
         .range = config::Range{1, 64}},
        {.name = "dns.kernel",
         .fallback = defaults.kernel,
         .help = "Whether the kernel answers plain questions of containers and host processes "
                 "itself, with the same octets; user space answers what it cannot."},
        {.name = "dns.kernel_skip",
         .fallback = std::vector<std::string>{},
         .help = "Addresses or subnets of clients that only user space answers, so that firewalls "
                 "and captures of the host see their queries.",
         .check = check_client},
        {.name = "dns.ttl_s",
         .fallback = integer(defaults.zones.ttl_s),
         .help = "How long clients may keep an address.",
         .unit = "s",
         .range = config::Range{0, 86400}},
        {.name = "dns.negative_ttl_s",
         .fallback = integer(defaults.zones.negative_ttl_s),
         .help = "How long clients may keep that a name or an address family of it does not exist; "
                 "dns.ttl_s if "
                 "that is less.",
         .unit = "s",
         .range = config::Range{0, 86400}},
        {.name = "dns.resolv_conf",
         .fallback = std::string(),
         .help = "A file that is kept as this machine's resolv.conf, e.g. /etc/resolv.conf; empty: "
                 "none is.",
         .check = config::check_absolute_path_or_empty},
        {.name = "dns.search",
         .fallback = std::vector<std::string>(),
         .help = "Domains that dns.resolv_conf makes programs search.",
         .check = check_domain},
        {.name = "dns.fallback_resolvers",
         .fallback = std::vector<std::string>(),
         .help = "Servers that dns.resolv_conf names while none of dns.listen answers, and after "
                 "viaductd ended.",
         .check = config::check_address},
        {.name = "dns.masters",
         .fallback = std::vector<std::string>{},
         .help = "Addresses of the Mesos masters, in the order of their numbers, for zk-1.zk, "
                 "leader.mesos, master.mesos and the like.",
         .check = config::check_address},
        {.name = "dns.container_subnets",
         .fallback = std::vector<std::string>{},
         .help = "Subnets of containers, such as 9.0.0.0/8, whose addresses lead back to the names "
                 "of their tasks (PTR).",
         .check = check_container_subnet},
        {.name = "dns.cnames",
         .fallback = std::vector<std::string>{},
         .help = "Names of our own, each as name=target: "
                 "registry.component.thisdcos.directory=master.dcos.thisdcos.directory.",
         .check = check_cname},
        {.name = "dns.upstreams",
         .fallback = std::vector<std::string>{},
         .help =
             "Servers that names outside our zones are forwarded to: addresses, with :port if it "
             "is not 53. Empty: nothing is forwarded.",
         .check = check_upstream},
        {.name = "dns.forward_zones",
         .fallback = std::vector<std::string>{},
         .help = "Zones that have servers of their own, \"corp.example=192.0.2.1,192.0.2.2\"; the "
                 "longest suffix of a name decides.",
         .check = check_forward_zone},
        {.name = "dns.forward_dispatch",
         .fallback = std::string("both"),
         .help = "Whether a question goes to the two best servers at once, or to the second only "
                 "when the best takes longer than usual.",
         .choices = {"both", "hedged"}},
        {.name = "dns.cache_mib",
         .fallback = integer(defaults.forward.cache_octets >> 20),
         .help = "Room for forwarded answers; 0: none is kept.",
         .unit = "MiB",
         .range = config::Range{0, 4096}},
        {.name = "dns.http_listen",
         .fallback = std::string(),
         .help = "Address and port of the HTTP API that Mesos-DNS has, which uses port 8123; "
                 "without authentication. Empty: off.",
         .check = config::check_endpoint_or_empty},
        {.name = "dns.mesos_enumeration",
         .fallback = defaults.http.enumeration,
         .help = "Whether that API lists all tasks and records (/v1/enumerate, /v1/axfr)."},
    };
    for (config::Key& key : mesos_keys()) all.push_back(std::move(key));
    return all;
  }();
  return list;
}

Config from(const config::Values& values) {
  Config config;
  config.enabled = values.boolean("dns.enabled");
  config.listen.clear();
  for (const std::string& text : values.string_list("dns.listen"))
    config.listen.push_back(*base::Address::parse(text));
  config.port = static_cast<std::uint16_t>(values.integer("dns.port"));
  config.workers = static_cast<unsigned>(values.integer("dns.workers"));
  config.kernel = values.boolean("dns.kernel");
  for (const std::string& text : values.string_list("dns.kernel_skip"))
    config.kernel_skip.push_back(*base::Subnet::parse(text));
  config.zones.ttl_s = static_cast<std::uint32_t>(values.integer("dns.ttl_s"));
  config.zones.negative_ttl_s = static_cast<std::uint32_t>(values.integer("dns.negative_ttl_s"));
  config.resolv_conf.path = values.string("dns.resolv_conf");
  config.resolv_conf.search = values.string_list("dns.search");
  for (const std::string& text : values.string_list("dns.fallback_resolvers"))
    config.resolv_conf.fallback.push_back(*base::Address::parse(text));
  for (const std::string& text : values.string_list("dns.masters"))
    config.zones.masters.all.push_back(*base::Address::parse(text));
  take_mesos(values, config.zones);
  for (const std::string& text : values.string_list("dns.container_subnets"))
    config.zones.containers.push_back(*base::Subnet::parse(text));
  for (const std::string& text : values.string_list("dns.cnames"))
    config.zones.cnames.push_back(*zones::parse_cname(text));
  for (const std::string& text : values.string_list("dns.upstreams"))
    config.forward.upstreams.push_back(*forward::parse_upstream(text));
  for (const std::string& text : values.string_list("dns.forward_zones"))
    config.forward.zones.push_back(*forward::parse_forward_zone(text));
  if (values.string("dns.mesos") == "forward")
    config.forward.zones.push_back(mesos_dns(config.zones));
  config.forward.dispatch = values.string("dns.forward_dispatch") == "hedged"
                                ? forward::Dispatch::hedged
                                : forward::Dispatch::both;
  config.forward.cache_octets = static_cast<std::size_t>(values.integer("dns.cache_mib")) << 20;
  if (const std::string& text = values.string("dns.http_listen"); !text.empty())
    config.http.listen = *base::Endpoint::parse(text);
  config.http.enumeration = values.boolean("dns.mesos_enumeration");
  return config;
}

}  // namespace viaduct::dns
