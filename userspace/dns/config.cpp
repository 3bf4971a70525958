#include "dns/config.h"

#include "config/check.h"

namespace viaduct::dns {
namespace {

std::vector<std::string> to_strings(const std::vector<base::Address>& addresses) {
  std::vector<std::string> texts;
  for (const base::Address& address : addresses) texts.push_back(address.to_string());
  return texts;
}

}  // namespace

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
  return config;
}

}  // namespace viaduct::dns
