#include "dataplane/io/host_device.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/io/fd.h"
#include "dataplane/io/route_dump.h"

namespace viaduct::dataplane {
namespace {

template <class T, void (*Put)(T*)>
struct Release {
  void operator()(T* object) const { Put(object); }
};
using Socket = std::unique_ptr<nl_sock, Release<nl_sock, nl_socket_free>>;
using LinkObject = std::unique_ptr<rtnl_link, Release<rtnl_link, rtnl_link_put>>;
using RouteObject = std::unique_ptr<rtnl_route, Release<rtnl_route, rtnl_route_put>>;
using AddrObject = std::unique_ptr<rtnl_addr, Release<rtnl_addr, rtnl_addr_put>>;
using NlAddr = std::unique_ptr<nl_addr, Release<nl_addr, nl_addr_put>>;
using Cache = std::unique_ptr<nl_cache, Release<nl_cache, nl_cache_free>>;

base::Error nl_error(int rc, std::string context) {
  switch (-rc) {
    case NLE_EXIST:
      return base::from_errno(EEXIST, std::move(context));
    case NLE_OPNOTSUPP:
      return base::from_errno(EOPNOTSUPP, std::move(context));
    case NLE_PERM:
      return base::from_errno(EPERM, std::move(context));
    case NLE_OBJ_NOTFOUND:
      return base::from_errno(ESRCH, std::move(context));
    default:
      return base::from_errno(EIO, context + " (" + nl_geterror(rc) + ")");
  }
}

base::Result<Socket> open_socket() {
  Socket socket(nl_socket_alloc());
  if (!socket) return base::from_errno(ENOMEM, "make a netlink socket");
  if (const int rc = nl_connect(socket.get(), NETLINK_ROUTE); rc < 0)
    return nl_error(rc, "open a netlink socket");
  return socket;
}

NlAddr to_nl(const base::Address& address) {
  const auto octets = address.octets();
  NlAddr made(nl_addr_build(address.is_v4() ? AF_INET : AF_INET6, octets.data(), octets.size()));
  nl_addr_set_prefixlen(made.get(), static_cast<int>(octets.size() * 8));
  return made;
}

LinkObject describe(const std::string& name) {
  LinkObject link(rtnl_link_alloc());
  rtnl_link_set_name(link.get(), name.c_str());
  const NlAddr mac(nl_addr_build(AF_LLC, kHostDeviceMac.data(), kHostDeviceMac.size()));
  rtnl_link_set_addr(link.get(), mac.get());
  rtnl_link_set_flags(link.get(), IFF_UP | IFF_NOARP);
  return link;
}

base::Result<void> make_dummy(nl_sock* socket, const std::string& name) {
  const LinkObject link = describe(name);
  rtnl_link_set_type(link.get(), "dummy");
  if (const int rc = rtnl_link_add(socket, link.get(), NLM_F_CREATE | NLM_F_EXCL); rc < 0)
    return nl_error(rc, "make dummy device " + name);
  return {};
}

/// libnl names the peer's namespace by a process of it, and 0 is none.
/// The peer only keeps the carrier up: every packet that leaves the device is taken by tc_lb.
base::Result<void> make_veth(nl_sock* socket, const std::string& name) {
  const std::string peer = name.substr(0, IFNAMSIZ - 2) + "p";
  if (const int rc = rtnl_link_veth_add(socket, name.c_str(), peer.c_str(), getpid()); rc < 0)
    return nl_error(rc, "make veth pair " + name);
  LinkObject change(rtnl_link_alloc());
  rtnl_link_set_name(change.get(), peer.c_str());
  rtnl_link_set_flags(change.get(), IFF_UP | IFF_NOARP);
  if (const int rc = rtnl_link_add(socket, change.get(), 0); rc < 0)
    return nl_error(rc, "bring up " + peer);
  return {};
}

void set_sysctl(const std::string& path, const char* value) {
  // A kernel without the key needs no setting; doctor reads the ones that matter back.
  const base::Fd fd(::open(("/proc/sys/net/" + path).c_str(), O_WRONLY | O_CLOEXEC));
  if (fd) static_cast<void>(!::write(fd.get(), value, 1));
}

LinkObject find_link(nl_sock* socket, const std::string& name) {
  rtnl_link* found = nullptr;
  if (rtnl_link_get_kernel(socket, 0, name.c_str(), &found) < 0) return nullptr;
  return LinkObject(found);
}

RouteObject describe_route(const HostDevice& device, const base::Address& address) {
  RouteObject route(rtnl_route_alloc());
  rtnl_route_set_family(route.get(), address.is_v4() ? AF_INET : AF_INET6);
  rtnl_route_set_table(route.get(), RT_TABLE_MAIN);
  rtnl_route_set_protocol(route.get(), kRouteProtocol);
  rtnl_route_set_type(route.get(), RTN_UNICAST);
  rtnl_route_set_scope(route.get(), address.is_v4() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
  const NlAddr destination = to_nl(address);
  rtnl_route_set_dst(route.get(), destination.get());
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, static_cast<int>(device.ifindex));
  rtnl_route_add_nexthop(route.get(), hop);
  return route;
}

}  // namespace

base::Result<HostDevice> ensure_host_device(const std::string& name) {
  auto socket = open_socket();
  if (!socket) return socket.error();
  if (!find_link(socket->get(), name)) {
    auto made = make_dummy(socket->get(), name);
    if (!made && made.error().code.value() == EOPNOTSUPP) made = make_veth(socket->get(), name);
    if (!made) return made.error();
  }
  // Whoever made it, and whatever was changed since: state, address and flags are ours.
  const LinkObject change = describe(name);
  if (const int rc = rtnl_link_add(socket->get(), change.get(), 0); rc < 0)
    return nl_error(rc, "set up device " + name);
  const LinkObject link = find_link(socket->get(), name);
  if (!link) return base::from_errno(ENODEV, "find device " + name);
  for (const char* family : {"ipv4", "ipv6"}) {
    const std::string folder = std::string(family) + "/conf/" + name + "/";
    set_sysctl(folder + "forwarding", "1");
    set_sysctl(folder + "rp_filter", "0");
    set_sysctl(folder + "accept_dad", "0");
    set_sysctl(folder + "disable_ipv6", "0");
    set_sysctl(folder + "accept_ra", "0");
  }
  const char* kind = rtnl_link_get_type(link.get());
  return HostDevice{static_cast<std::uint32_t>(rtnl_link_get_ifindex(link.get())),
                    kind ? kind : "unknown"};
}

base::Result<void> ensure_addresses(const HostDevice& device,
                                    const std::vector<base::Address>& addresses) {
  auto socket = open_socket();
  if (!socket) return socket.error();
  base::Result<void> result;
  for (const base::Address& address : addresses) {
    const AddrObject wanted(rtnl_addr_alloc());
    rtnl_addr_set_ifindex(wanted.get(), static_cast<int>(device.ifindex));
    const NlAddr local = to_nl(address);
    rtnl_addr_set_local(wanted.get(), local.get());
    // Never a source that somebody else would see: of host scope, or deprecated at once (RFC 6724,
    // rule 3).
    if (address.is_v4()) {
      rtnl_addr_set_scope(wanted.get(), RT_SCOPE_HOST);
    } else {
      rtnl_addr_set_flags(wanted.get(), IFA_F_NODAD);
      rtnl_addr_set_preferred_lifetime(wanted.get(), 0);
      rtnl_addr_set_valid_lifetime(wanted.get(), 0xffffffff);
    }
    const int rc = rtnl_addr_add(socket->get(), wanted.get(), 0);
    if (rc < 0 && rc != -NLE_EXIST && result)
      result = nl_error(rc, "add address " + address.to_string());
  }
  return result;
}

base::Result<std::set<base::Address>> read_routes(const HostDevice& device) {
  auto socket = open_socket();
  if (!socket) return socket.error();
  std::set<base::Address> routes;
  const auto take = [&](const Route& route) {
    if (route.protocol != kRouteProtocol || !route.destination ||
        route.prefix_length != route.destination->octets().size() * 8 ||
        route.ifindexes != std::vector{device.ifindex})
      return;
    routes.insert(routes.end(), *route.destination);
  };
  for (const int family : {AF_INET, AF_INET6})
    if (auto done = dump_routes(socket->get(), family, take); !done) return done.error();
  return routes;
}

base::Result<std::vector<RouteFailure>> add_routes(const HostDevice& device,
                                                   const std::set<base::Address>& addresses) {
  std::vector<RouteFailure> failures;
  if (addresses.empty()) return failures;
  auto socket = open_socket();
  if (!socket) return socket.error();
  for (const base::Address& address : addresses) {
    const RouteObject route = describe_route(device, address);
    const int rc = rtnl_route_add(socket->get(), route.get(), NLM_F_CREATE | NLM_F_EXCL);
    if (rc >= 0) continue;
    failures.push_back(
        {address, rc == -NLE_EXIST
                      ? "another route to " + address.to_string() + " exists"
                      : nl_error(rc, "add route to " + address.to_string()).message()});
  }
  return failures;
}

base::Result<void> remove_routes(const HostDevice& device,
                                 const std::set<base::Address>& addresses) {
  if (addresses.empty()) return {};
  auto socket = open_socket();
  if (!socket) return socket.error();
  base::Result<void> result;
  for (const base::Address& address : addresses) {
    const RouteObject route = describe_route(device, address);
    const int rc = rtnl_route_delete(socket->get(), route.get(), 0);
    if (rc < 0 && rc != -NLE_OBJ_NOTFOUND && result)
      result = nl_error(rc, "remove route to " + address.to_string());
  }
  return result;
}

base::Result<std::set<std::uint32_t>> default_route_links() {
  auto socket = open_socket();
  if (!socket) return socket.error();
  std::set<std::uint32_t> links;
  const auto take = [&](const Route& route) {
    if (route.table != RT_TABLE_MAIN || route.type != RTN_UNICAST || route.prefix_length != 0)
      return;
    links.insert(route.ifindexes.begin(), route.ifindexes.end());
  };
  for (const int family : {AF_INET, AF_INET6})
    if (auto done = dump_routes(socket->get(), family, take); !done) return done.error();
  return links;
}

base::Result<std::vector<Link>> list_links() {
  auto socket = open_socket();
  if (!socket) return socket.error();
  nl_cache* raw = nullptr;
  if (const int rc = rtnl_link_alloc_cache(socket->get(), AF_UNSPEC, &raw); rc < 0)
    return nl_error(rc, "list links");
  const Cache cache(raw);
  std::vector<Link> links;
  for (nl_object* object = nl_cache_get_first(cache.get()); object;
       object = nl_cache_get_next(object)) {
    auto* link = reinterpret_cast<rtnl_link*>(object);
    const char* kind = rtnl_link_get_type(link);
    links.push_back({static_cast<std::uint32_t>(rtnl_link_get_ifindex(link)),
                     rtnl_link_get_name(link), kind ? kind : ""});
  }
  return links;
}

}  // namespace viaduct::dataplane
