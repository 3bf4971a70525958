#include "dataplane/orphan.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace viaduct::dataplane {
namespace {

constexpr std::uint8_t kIpv4 = 2;    // AF_INET
constexpr std::uint8_t kIpv6 = 10;   // AF_INET6
constexpr std::uint32_t kAll = ~0U;  // every state: the kernel looks at none of them here

static_assert(sizeof(nlmsghdr) + sizeof(inet_diag_req_v2) == std::tuple_size_v<DestroyRequest>);

__be16 network_order(std::uint16_t port) {
  return std::endian::native == std::endian::little
             ? static_cast<std::uint16_t>(port << 8 | port >> 8)
             : port;
}

void put_address(const base::Address& address, __be32 (&to)[4]) {
  std::memcpy(to, address.octets().data(), address.octets().size());
}

}  // namespace

void OrphanSearch::see(const ConnectedSocket& socket) {
  if (is_held_(socket.backend_id, socket.backend_generation)) return;
  if (kept_ == limit_) {
    has_more_ = true;
    return;
  }
  kept_++;
  by_netns_[socket.netns].push_back(socket);
}

DestroyRequest destroy_request(const ConnectedSocket& socket, std::uint32_t sequence) {
  nlmsghdr header{};
  header.nlmsg_len = std::tuple_size_v<DestroyRequest>;
  header.nlmsg_type = SOCK_DESTROY;
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  header.nlmsg_seq = sequence;
  inet_diag_req_v2 request{};
  request.sdiag_family = socket.backend.address.is_v4() ? kIpv4 : kIpv6;
  request.sdiag_protocol = static_cast<__u8>(socket.protocol);
  request.idiag_states = kAll;
  request.id.idiag_sport = network_order(socket.local.port);
  request.id.idiag_dport = network_order(socket.backend.port);
  put_address(socket.local.address, request.id.idiag_src);
  put_address(socket.backend.address, request.id.idiag_dst);
  request.id.idiag_if = socket.bound_ifindex;
  request.id.idiag_cookie[0] = static_cast<__u32>(socket.cookie);
  request.id.idiag_cookie[1] = static_cast<__u32>(socket.cookie >> 32);
  DestroyRequest bytes{};
  std::memcpy(bytes.data(), &header, sizeof(header));
  std::memcpy(bytes.data() + sizeof(header), &request, sizeof(request));
  return bytes;
}

std::optional<int> destroy_answer(std::span<const std::uint8_t> message, std::uint32_t sequence) {
  nlmsghdr header{};
  nlmsgerr answer{};
  if (message.size() < sizeof(header) + sizeof(answer)) return std::nullopt;
  std::memcpy(&header, message.data(), sizeof(header));
  std::memcpy(&answer, message.data() + sizeof(header), sizeof(answer));
  if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq != sequence) return std::nullopt;
  return -answer.error;
}

}  // namespace viaduct::dataplane
