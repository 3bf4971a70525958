#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace viaduct::dataplane {

/// The address of viaduct0, so that programs can hand packets to it without asking.
inline constexpr std::array<std::uint8_t, 6> kHostDeviceMac = {0x02, 0x76, 0x64, 0x00, 0x00, 0x01};

/// Marks our routes (rtm_protocol); see /etc/iproute2/rt_protos for those of others.
inline constexpr int kRouteProtocol = 118;

/// The device that VIP routes lead into: packets of host processes that no socket hook saw meet
/// tc_lb on its egress. Recognised by its name; removed with `ip link delete`, which takes its
/// routes and addresses along.
struct HostDevice {
  std::uint32_t ifindex = 0;
  std::string kind;  ///< "dummy", or "veth" on kernels without it
};

/// Makes the device if it is not there, brings it up and sets what it needs (no ARP, forwarding on,
/// loose reverse path).
/// @errors the system's code.
base::Result<HostDevice> ensure_host_device(const std::string& name);

/// Gives the device addresses of its own that are never chosen as a source.
/// @errors the first one that could not be added; the others are.
base::Result<void> ensure_addresses(const HostDevice& device,
                                    const std::vector<base::Address>& addresses);

/// Host routes into the device that carry our protocol number.
base::Result<std::set<base::Address>> read_routes(const HostDevice& device);
/// A route that could not be added, and why.
struct RouteFailure {
  base::Address address;
  std::string reason;
};
/// Never replaces somebody else's route to the same address.
/// @return what could not be added; the others are.
/// @errors no netlink socket.
base::Result<std::vector<RouteFailure>> add_routes(const HostDevice& device,
                                                   const std::set<base::Address>& addresses);
/// A route that is gone already is fine.
/// @errors the first that failed; the others are removed all the same.
base::Result<void> remove_routes(const HostDevice& device,
                                 const std::set<base::Address>& addresses);

/// A network device of this namespace.
struct Link {
  std::uint32_t ifindex = 0;
  std::string name;
  std::string kind;  ///< "veth", "bridge", …; empty: a real device
};
base::Result<std::vector<Link>> list_links();

/// The devices that default routes lead into.
base::Result<std::set<std::uint32_t>> default_route_links();

}  // namespace viaduct::dataplane
