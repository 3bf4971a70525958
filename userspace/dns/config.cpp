#include "dns/config.h"

#include <algorithm>
#include <optional>

#include "config/check.h"
#include "dns/resolv_conf.h"

namespace viaduct::dns {
namespace {

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

}  // namespace

std::vector<config::Rule> rules() {
  return {
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
  };
}

const std::vector<config::Key>& keys() {
  static const std::vector<config::Key> list = [] {
    const Config defaults;
    const auto integer = [](auto value) { return static_cast<std::int64_t>(value); };
    return std::vector<config::Key>{
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
    };
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
  config.zones.ttl_s = static_cast<std::uint32_t>(values.integer("dns.ttl_s"));
  config.zones.negative_ttl_s = static_cast<std::uint32_t>(values.integer("dns.negative_ttl_s"));
  config.resolv_conf.path = values.string("dns.resolv_conf");
  config.resolv_conf.search = values.string_list("dns.search");
  for (const std::string& text : values.string_list("dns.fallback_resolvers"))
    config.resolv_conf.fallback.push_back(*base::Address::parse(text));
  return config;
}

}  // namespace viaduct::dns
