#include "gossip/config.h"

#include <algorithm>
#include <optional>

#include "base/subnet.h"
#include "config/check.h"
#include "gossip/limits.h"

namespace viaduct::gossip {
namespace {

/// "192.0.2.1", "192.0.2.1:7946", "2001:db8::1" or "[2001:db8::1]:7946".
std::optional<base::Endpoint> parse_peer(std::string_view text) {
  if (const auto address = base::Address::parse(text))
    return base::Endpoint{*address, kDefaultPort};
  return base::Endpoint::parse(text);
}

std::optional<std::string> check_peer(std::string_view text) {
  if (parse_peer(text)) return {};
  return "is neither an address nor address:port";
}

std::optional<std::string> check_peer_or_empty(std::string_view text) {
  return text.empty() ? std::optional<std::string>() : check_peer(text);
}

std::optional<std::string> check_subnet(std::string_view text) {
  if (base::Subnet::parse(text)) return {};
  return "is no address range such as 10.0.0.0/8";
}

std::optional<std::string> check_label(std::string_view text) {
  if (text.size() <= kMaxLabelOctets) return {};
  return "is longer than 255 bytes";
}

/// A time or count of the protocol: key, member of Timing, range.
struct Setting {
  const char* key;
  const char* help;
  const char* unit;
  std::int64_t (*get)(const Timing&);
  void (*set)(Timing&, std::int64_t);
  config::Range range;
};

template <base::Duration Timing::*member>
std::int64_t milliseconds(const Timing& timing) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(timing.*member).count();
}
template <base::Duration Timing::*member>
void set_milliseconds(Timing& timing, std::int64_t value) {
  timing.*member = std::chrono::milliseconds(value);
}
template <int Timing::*member>
std::int64_t count(const Timing& timing) {
  return timing.*member;
}
template <int Timing::*member>
void set_count(Timing& timing, std::int64_t value) {
  timing.*member = static_cast<int>(value);
}

template <base::Duration Timing::*member>
constexpr Setting time(const char* key, const char* help, config::Range range) {
  return {key, help, "ms", milliseconds<member>, set_milliseconds<member>, range};
}
template <int Timing::*member>
constexpr Setting number(const char* key, const char* help, config::Range range) {
  return {key, help, "", count<member>, set_count<member>, range};
}

const Setting kSettings[] = {
    time<&Timing::probe_interval>("gossip.probe_interval_ms", "One member is probed each interval.",
                                  {100, 60'000}),
    time<&Timing::probe_timeout>("gossip.probe_timeout_ms",
                                 "How long a probe waits before others are asked; less than the "
                                 "interval.",
                                 {20, 30'000}),
    number<&Timing::indirect_checks>("gossip.indirect_checks",
                                     "Members that are asked to probe one that does not answer.",
                                     {0, 10}),
    time<&Timing::gossip_interval>("gossip.gossip_interval_ms", "Time between rounds of gossip.",
                                   {50, 10'000}),
    number<&Timing::gossip_nodes>("gossip.gossip_nodes", "Members that hear each round.", {1, 10}),
    time<&Timing::eager_delay>("gossip.eager_delay_ms",
                               "News is sent on so soon, ahead of the next round.", {5, 10'000}),
    number<&Timing::retransmit_mult>(
        "gossip.retransmit_mult",
        "News is sent this often, times the decimal logarithm of the cluster's size.", {1, 10}),
    number<&Timing::suspicion_mult>(
        "gossip.suspicion_mult",
        "Probe intervals from suspicion to death, times the decimal logarithm of the cluster's "
        "size.",
        {2, 20}),
    number<&Timing::suspicion_max_mult>(
        "gossip.suspicion_max_mult",
        "A suspicion that nobody confirms lasts this many times longer.", {1, 20}),
    number<&Timing::awareness_max>("gossip.awareness_max",
                                   "A node that misses answers waits up to this many times longer.",
                                   {1, 16}),
    time<&Timing::push_pull_interval>("gossip.push_pull_interval_ms",
                                      "Time between full exchanges of members; longer in clusters "
                                      "of more than 32.",
                                      {1'000, 3'600'000}),
    time<&Timing::gossip_to_dead>("gossip.gossip_to_dead_ms",
                                  "The dead hear gossip, and are listed, for so long.",
                                  {1'000, 86'400'000}),
    time<&Timing::reclaim_after>("gossip.reclaim_after_ms",
                                 "A dead node's name may come back with another address after "
                                 "this time.",
                                 {0, 86'400'000}),
    time<&Timing::heal_interval>("gossip.heal_interval_ms",
                                 "Lost members and seeds are dialled about this often.",
                                 {500, 600'000}),
    time<&Timing::digest_interval>("gossip.digest_interval_ms",
                                   "VIP tables are compared with a random member this often.",
                                   {1'000, 600'000}),
};

std::vector<config::Key> all_keys() {
  std::vector<config::Key> all = {
      {.name = "gossip.enabled",
       .fallback = false,
       .help = "Whether this node shares its VIPs with others."},
      {.name = "gossip.listen",
       .fallback = std::string(),
       .help = "Address and port that others reach this node at, over UDP and TCP; empty: "
               "node.address, port 7946.",
       .check = check_peer_or_empty},
      {.name = "gossip.seeds",
       .fallback = std::vector<std::string>(),
       .help = "Addresses of some members, with or without a port; dialled until they answer.",
       .check = check_peer},
      {.name = "gossip.keyring",
       .fallback = std::string(),
       .help = "File with the cluster's keys as Serf writes it; empty: nothing is encrypted.",
       .check = config::check_absolute_path_or_empty},
      {.name = "gossip.insecure",
       .fallback = false,
       .help = "Allows gossip without keys on other addresses than loopback."},
      {.name = "gossip.label",
       .fallback = std::string(),
       .help = "Name of the cluster: nodes with another one are not heard. Serf before 0.9.7 knows "
               "none.",
       .check = check_label},
      {.name = "gossip.compress",
       .fallback = true,
       .help = "Whether to compress what becomes smaller by it."},
      {.name = "gossip.verify_incoming",
       .fallback = true,
       .help = "Refuse plain text where there are keys; false only while keys are introduced."},
      {.name = "gossip.verify_outgoing",
       .fallback = true,
       .help = "Encrypt where there are keys; false only while keys are introduced."},
      {.name = "gossip.state",
       .fallback = std::string("/var/lib/viaduct/gossip"),
       .help = "Folder for peers and their VIPs, which are served after a start while nobody "
               "answers; empty: none.",
       .check = config::check_absolute_path_or_empty},
      {.name = "gossip.allowed_vips",
       .fallback = std::vector<std::string>(),
       .help = "Address ranges that VIPs of other nodes may be in; empty: any.",
       .check = check_subnet},
      {.name = "gossip.allowed_backends",
       .fallback = std::vector<std::string>(),
       .help = "Address ranges that backends of other nodes may be in; empty: any.",
       .check = check_subnet},
  };
  const Timing defaults;
  for (const Setting& setting : kSettings)
    all.push_back({.name = setting.key,
                   .fallback = setting.get(defaults),
                   .help = setting.help,
                   .unit = setting.unit,
                   .range = setting.range});
  return all;
}

std::vector<base::Subnet> subnets(const config::Values& values, const char* key) {
  std::vector<base::Subnet> all;
  for (const std::string& text : values.string_list(key)) all.push_back(*base::Subnet::parse(text));
  return all;
}

std::optional<std::string> check_timeout(const config::Values& values) {
  if (values.integer("gossip.probe_timeout_ms") < values.integer("gossip.probe_interval_ms"))
    return {};
  return "must be less than gossip.probe_interval_ms";
}

}  // namespace

const std::vector<config::Key>& keys() {
  static const std::vector<config::Key> list = all_keys();
  return list;
}

std::vector<config::Rule> rules() { return {{"gossip.probe_timeout_ms", check_timeout}}; }

Config from(const config::Values& values) {
  Config config;
  config.enabled = values.boolean("gossip.enabled");
  if (const std::string& listen = values.string("gossip.listen"); !listen.empty())
    config.listen = *parse_peer(listen);
  for (const std::string& seed : values.string_list("gossip.seeds"))
    config.seeds.push_back(*parse_peer(seed));
  config.keyring = values.string("gossip.keyring");
  config.insecure = values.boolean("gossip.insecure");
  config.state_folder = values.string("gossip.state");
  config.wire.label = values.string("gossip.label");
  config.wire.compress = values.boolean("gossip.compress");
  config.wire.verify_incoming = values.boolean("gossip.verify_incoming");
  config.wire.verify_outgoing = values.boolean("gossip.verify_outgoing");
  config.rules.vips = subnets(values, "gossip.allowed_vips");
  config.rules.backends = subnets(values, "gossip.allowed_backends");
  for (const Setting& setting : kSettings) setting.set(config.timing, values.integer(setting.key));
  return config;
}

}  // namespace viaduct::gossip
