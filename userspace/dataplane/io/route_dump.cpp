#include "dataplane/io/route_dump.h"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace viaduct::dataplane {
namespace {

std::optional<base::Address> address_of(nlattr* attribute) {
  if (!attribute) return std::nullopt;
  const auto* octets = static_cast<const std::uint8_t*>(nla_data(attribute));
  if (nla_len(attribute) == 4)
    return base::Address::v4({octets[0], octets[1], octets[2], octets[3]});
  if (nla_len(attribute) != 16) return std::nullopt;
  std::array<std::uint8_t, 16> all{};
  std::copy(octets, octets + 16, all.begin());
  return base::Address::v6(all);
}

void add_hops(nlattr* multipath, std::vector<std::uint32_t>& ifindexes) {
  auto* hop = static_cast<rtnexthop*>(nla_data(multipath));
  int left = nla_len(multipath);
  for (; RTNH_OK(hop, left); left -= NLMSG_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
    ifindexes.push_back(static_cast<std::uint32_t>(hop->rtnh_ifindex));
}

int take_message(nl_msg* message, void* argument) {
  nlmsghdr* header = nlmsg_hdr(message);
  if (header->nlmsg_type != RTM_NEWROUTE) return NL_OK;
  std::array<nlattr*, RTA_MAX + 1> attributes{};
  if (nlmsg_parse(header, sizeof(rtmsg), attributes.data(), RTA_MAX, nullptr) < 0) return NL_SKIP;
  const auto* info = static_cast<const rtmsg*>(nlmsg_data(header));
  if ((info->rtm_flags & RTM_F_CLONED) != 0) return NL_OK;
  Route route;
  route.table = attributes[RTA_TABLE] ? nla_get_u32(attributes[RTA_TABLE]) : info->rtm_table;
  route.protocol = info->rtm_protocol;
  route.type = info->rtm_type;
  route.prefix_length = info->rtm_dst_len;
  route.destination = address_of(attributes[RTA_DST]);
  if (attributes[RTA_OIF]) route.ifindexes.push_back(nla_get_u32(attributes[RTA_OIF]));
  if (attributes[RTA_MULTIPATH]) add_hops(attributes[RTA_MULTIPATH], route.ifindexes);
  (*static_cast<const std::function<void(const Route&)>*>(argument))(route);
  return NL_OK;
}

}  // namespace

base::Result<void> dump_routes(nl_sock* socket, int family,
                               const std::function<void(const Route&)>& take) {
  rtmsg request{};
  request.rtm_family = static_cast<unsigned char>(family);
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, take_message,
                      const_cast<std::function<void(const Route&)>*>(&take));
  int rc = nl_send_simple(socket, RTM_GETROUTE, NLM_F_DUMP, &request, sizeof(request));
  if (rc >= 0) rc = nl_recvmsgs_default(socket);
  if (rc < 0) return base::from_errno(EIO, std::string("read routes (") + nl_geterror(rc) + ")");
  return {};
}

}  // namespace viaduct::dataplane
