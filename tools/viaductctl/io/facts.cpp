#include "tools/viaductctl/io/facts.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <sstream>

#include "base/io/file.h"
#include "dataplane/io/bpffs.h"
#include "dns/io/probe.h"
#include "service/vip.h"
#include "tools/viaductctl/io/attachments.h"
#include "tools/viaductctl/io/daemon.h"
#include "tools/viaductctl/io/links.h"
#include "tools/viaductctl/io/maps.h"
#include "tools/viaductctl/options.h"

namespace viaduct::ctl {
namespace {

constexpr std::size_t kMaxSettingBytes = 64 * 1024;

std::optional<std::int64_t> read_sysctl(const std::string& path) {
  const auto text = base::read_file("/proc/sys/net/" + path, kMaxSettingBytes);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::vector<std::string> read_resolvers() {
  std::vector<std::string> resolvers;
  const auto text = base::read_file("/etc/resolv.conf", kMaxSettingBytes);
  if (!text) return resolvers;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string keyword;
    std::string address;
    if (words >> keyword >> address && keyword == "nameserver") resolvers.push_back(address);
  }
  return resolvers;
}

void gather_daemon(Facts& facts) {
  auto status = ask_daemon(facts.socket, "/v1/status");
  if (!status) {
    facts.daemon_error = status.error().code.message();
    facts.daemon_refused_permission = status.error().code == boost::system::errc::permission_denied;
    return;
  }
  facts.status = std::move(*status);
  if (auto vips = ask_daemon(facts.socket, "/v1/vips"); vips && vips->is_array())
    facts.vips = std::move(vips->get_array());
  if (auto cluster = ask_daemon(facts.socket, "/v1/members")) facts.cluster = std::move(*cluster);
}

/// Where to look: what viaductd says it uses, else the defaults.
void choose_places(Facts& facts, const std::optional<std::string>& bpffs) {
  const json::value nothing = json::object();
  const json::value& dataplane = object_of(facts.status ? *facts.status : nothing, "dataplane");
  const auto told = [&](std::string_view key, const std::string& fallback) {
    const std::string text = text_of(dataplane, key);
    return text.empty() ? fallback : text;
  };
  facts.bpffs = bpffs ? *bpffs : told("bpffs", kDefaultBpffs);
  facts.link = told("link", "viaduct0");
  for (const json::value& pattern : list_of(dataplane, "container_links"))
    if (pattern.is_string()) facts.container_links.emplace_back(pattern.get_string());
  if (!facts.status) facts.container_links = {"veth*"};
  if (const std::string cgroup = told("cgroup", ""); !cgroup.empty()) facts.cgroup = cgroup;
  if (!facts.cgroup)
    if (auto mount = dataplane::find_cgroup2()) facts.cgroup = *mount;
}

/// Whether a folder is in a BPF file system, or would be if it were made.
bool is_in_bpffs(std::filesystem::path folder) {
  struct statfs info {};
  while (::statfs(folder.c_str(), &info) != 0) {
    if (errno != ENOENT || !folder.has_relative_path()) return false;
    folder = folder.parent_path();
  }
  return info.f_type == BPF_FS_MAGIC;
}

void gather_maps(Facts& facts) {
  facts.bpffs_mounted = is_in_bpffs(facts.bpffs);
  auto usage = read_usage(facts.bpffs);
  if (!usage) {
    facts.maps_error = usage.error().message();
    return;
  }
  facts.maps = std::move(usage->maps);
  facts.vip_addresses = std::move(usage->vip_addresses);
  facts.nodes = std::move(usage->nodes);
}

void gather_network(Facts& facts) {
  auto links = read_links();
  if (links) {
    facts.links = std::move(*links);
    for (LinkFacts& link : facts.links) {
      link.rp_filter = read_sysctl("ipv4/conf/" + link.name + "/rp_filter");
      link.programs = packet_programs(facts.bpffs, link.name);
      link.tunnel_program = tunnel_program(facts.bpffs, link.name);
    }
  } else {
    facts.links_error = links.error().message();
  }
  facts.routes = read_vip_routes(facts.link);
  facts.lost_nodes = without_route(facts.nodes);
  facts.ip_forward = read_sysctl("ipv4/ip_forward");
  facts.ip6_forward = read_sysctl("ipv6/conf/all/forwarding");
  facts.rp_filter_all = read_sysctl("ipv4/conf/all/rp_filter");
  facts.bridge_nf = read_sysctl("bridge/bridge-nf-call-iptables");
}

void gather_dns(Facts& facts) {
  facts.resolvers = read_resolvers();
  if (!facts.status) return;
  const dns::Name zone = *dns::Name::parse(service::kL4lbZone);
  for (const json::value& text : list_of(object_of(*facts.status, "dns"), "listening")) {
    const auto server = text.is_string()
                            ? base::Endpoint::parse(std::string_view(text.get_string()))
                            : std::nullopt;
    if (!server) continue;
    facts.dns.push_back({*server, dns::probe(*server, dns::Transport::udp, zone, dns::Type::soa,
                                             std::chrono::seconds(1))});
  }
}

}  // namespace

Facts gather_attachments(const std::string& socket, const std::optional<std::string>& bpffs) {
  Facts facts;
  facts.socket = socket;
  if (auto status = ask_daemon(socket, "/v1/status")) facts.status = std::move(*status);
  choose_places(facts, bpffs);
  if (facts.cgroup) facts.sock_pins = socket_programs(facts.bpffs, *facts.cgroup);
  if (auto links = read_links()) facts.links = std::move(*links);
  for (LinkFacts& link : facts.links) {
    link.programs = packet_programs(facts.bpffs, link.name);
    link.tunnel_program = tunnel_program(facts.bpffs, link.name);
  }
  return facts;
}

Facts gather_facts(const std::string& socket, const std::optional<std::string>& bpffs) {
  Facts facts;
  facts.socket = socket;
  gather_daemon(facts);
  choose_places(facts, bpffs);
  gather_maps(facts);
  if (facts.cgroup) facts.sock_pins = socket_programs(facts.bpffs, *facts.cgroup);
  gather_network(facts);
  gather_dns(facts);
  return facts;
}

}  // namespace viaduct::ctl
