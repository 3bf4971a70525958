#include "tools/viaductctl/io/links.h"

#include <bpf/libbpf.h>
#include <net/if.h>
#include <netlink/route/link.h>

#include <cerrno>
#include <memory>

#include "dataplane/io/host_device.h"

namespace viaduct::ctl {

namespace {

bool has_native_xdp(int ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, answer);
  return bpf_xdp_query(ifindex, 0, &answer) == 0 && answer.drv_prog_id != 0;
}

}  // namespace

base::Result<std::vector<LinkFacts>> read_links() {
  const std::unique_ptr<nl_sock, void (*)(nl_sock*)> socket(nl_socket_alloc(), nl_socket_free);
  nl_cache* raw = nullptr;
  int rc = socket ? nl_connect(socket.get(), NETLINK_ROUTE) : -NLE_NOMEM;
  if (rc == 0) rc = rtnl_link_alloc_cache(socket.get(), AF_UNSPEC, &raw);
  if (rc < 0) return base::from_errno(EIO, std::string("list devices (") + nl_geterror(rc) + ")");
  const std::unique_ptr<nl_cache, void (*)(nl_cache*)> cache(raw, nl_cache_free);
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
    links.push_back(std::move(facts));
  }
  return links;
}

std::set<base::Address> read_vip_routes(const std::string& device) {
  dataplane::HostDevice host;
  host.ifindex = ::if_nametoindex(device.c_str());
  if (host.ifindex == 0) return {};
  const auto routes = dataplane::read_routes(host);
  return routes ? *routes : std::set<base::Address>();
}

}  // namespace viaduct::ctl
