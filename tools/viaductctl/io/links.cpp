#include "tools/viaductctl/io/links.h"

#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/route/link.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/io/fd.h"
#include "dataplane/io/host_device.h"

namespace viaduct::ctl {

namespace {

bool has_native_xdp(int ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, answer);
  return bpf_xdp_query(ifindex, 0, &answer) == 0 && answer.drv_prog_id != 0;
}

/// Asks a device for one number of linux/ethtool.h.
std::optional<std::uint32_t> ask_ethtool(int socket, const std::string& name,
                                         std::uint32_t command) {
  ethtool_value value{command, 0};
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (::ioctl(socket, SIOCETHTOOL, &request) != 0) return std::nullopt;
  return value.data;
}

void read_merging(int socket, LinkFacts& facts) {
  if (const auto gro = ask_ethtool(socket, facts.name, ETHTOOL_GGRO)) facts.gro = *gro != 0;
  if (const auto flags = ask_ethtool(socket, facts.name, ETHTOOL_GFLAGS))
    facts.lro = (*flags & ETH_FLAG_LRO) != 0;
}

}  // namespace

base::Result<std::vector<LinkFacts>> read_links() {
  const std::unique_ptr<nl_sock, void (*)(nl_sock*)> socket(nl_socket_alloc(), nl_socket_free);
  nl_cache* raw = nullptr;
  int rc = socket ? nl_connect(socket.get(), NETLINK_ROUTE) : -NLE_NOMEM;
  if (rc == 0) rc = rtnl_link_alloc_cache(socket.get(), AF_UNSPEC, &raw);
  if (rc < 0) return base::from_errno(EIO, std::string("list devices (") + nl_geterror(rc) + ")");
  const std::unique_ptr<nl_cache, void (*)(nl_cache*)> cache(raw, nl_cache_free);
  const base::Fd asking(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::vector<LinkFacts> links;
  for (nl_object* object = nl_cache_get_first(cache.get()); object;
       object = nl_cache_get_next(object)) {
    auto* link = reinterpret_cast<rtnl_link*>(object);
    LinkFacts facts;
    facts.name = rtnl_link_get_name(link);
    if (const char* kind = rtnl_link_get_type(link)) facts.kind = kind;
    facts.up = (rtnl_link_get_flags(link) & IFF_UP) != 0;
    facts.mtu = rtnl_link_get_mtu(link);
    facts.native_xdp = has_native_xdp(rtnl_link_get_ifindex(link));
    read_merging(asking.get(), facts);
    links.push_back(std::move(facts));
  }
  return links;
}

std::set<base::Address> without_route(const std::set<base::Address>& addresses) {
  constexpr std::uint16_t kDiscard = 9;  // connecting a UDP socket sends nothing
  std::set<base::Address> lost;
  for (const base::Address& address : addresses) {
    const base::Fd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int both = 0;
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both));
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(kDiscard);
    std::ranges::copy(address.mapped(), to.sin6_addr.s6_addr);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0 &&
        (errno == ENETUNREACH || errno == EHOSTUNREACH))
      lost.insert(address);
  }
  return lost;
}

std::set<base::Address> read_vip_routes(const std::string& device) {
  dataplane::HostDevice host;
  host.ifindex = ::if_nametoindex(device.c_str());
  if (host.ifindex == 0) return {};
  const auto routes = dataplane::read_routes(host);
  return routes ? *routes : std::set<base::Address>();
}

}  // namespace viaduct::ctl
