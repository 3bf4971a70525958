#include "dataplane/io/abi.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace viaduct::dataplane {
namespace {

ServiceEntry entry_of(const base::Address& address, __be16 port, __u8 proto,
                      const vd_service& value) {
  ServiceEntry entry;
  entry.key = {address, ntohs(port), static_cast<base::Protocol>(proto)};
  entry.id = value.id;
  entry.slot_offset = value.slot_offset;
  entry.slot_count = value.slot_count;
  entry.sock_pick = static_cast<Pick>(value.sock_pick);
  entry.packet_pick = static_cast<Pick>(value.packet_pick);
  entry.before_offset = value.before_offset;
  entry.before_count = value.before_count;
  entry.before_at = std::chrono::seconds(value.before_s);
  entry.affinity = {static_cast<service::AffinityBy>(value.affinity_by),
                    std::chrono::seconds(value.affinity_s)};
  return entry;
}

}  // namespace

vd_addr to_abi(const base::Address& address) {
  vd_addr raw{};
  std::copy(address.mapped().begin(), address.mapped().end(), raw.bytes);
  return raw;
}

base::Address from_abi(const vd_addr& address) {
  std::array<std::uint8_t, 16> octets{};
  std::copy(std::begin(address.bytes), std::end(address.bytes), octets.begin());
  return base::Address::v6(octets);
}

vd_service4_key to_abi4(const service::VipKey& key) {
  vd_service4_key raw{};
  std::memcpy(&raw.addr, key.address.mapped().data() + 12, sizeof(raw.addr));
  raw.port = htons(key.port);
  raw.proto = static_cast<__u8>(key.protocol);
  return raw;
}

vd_service6_key to_abi6(const service::VipKey& key) {
  vd_service6_key raw{};
  raw.addr = to_abi(key.address);
  raw.port = htons(key.port);
  raw.proto = static_cast<__u8>(key.protocol);
  return raw;
}

vd_service to_abi(const ServiceEntry& entry) {
  vd_service raw{};
  raw.id = entry.id;
  raw.slot_offset = entry.slot_offset;
  raw.slot_count = entry.slot_count;
  raw.sock_pick = static_cast<__u8>(entry.sock_pick);
  raw.packet_pick = static_cast<__u8>(entry.packet_pick);
  raw.before_offset = entry.before_offset;
  raw.before_count = entry.before_count;
  raw.before_s = static_cast<__u32>(entry.before_at.count());
  raw.affinity_by = static_cast<__u8>(entry.affinity.by);
  raw.affinity_s = static_cast<__u32>(entry.affinity.limit.count());
  return raw;
}

vd_backend to_abi(const BackendEntry& entry) {
  vd_backend raw{};
  raw.addr = to_abi(entry.endpoint.address);
  raw.port = htons(entry.endpoint.port);
  raw.weight = entry.weight;
  raw.generation = entry.generation;
  raw.service_id = entry.service_id;
  raw.node_id = entry.node_id;
  return raw;
}

ServiceEntry from_abi(const vd_service4_key& key, const vd_service& value) {
  return entry_of(base::Address::v4(ntohl(key.addr)), key.port, key.proto, value);
}

ServiceEntry from_abi(const vd_service6_key& key, const vd_service& value) {
  return entry_of(from_abi(key.addr), key.port, key.proto, value);
}

BackendEntry from_abi(std::uint32_t id, const vd_backend& value) {
  return {
      id,           value.generation, value.service_id, {from_abi(value.addr), ntohs(value.port)},
      value.weight, value.node_id};
}

ConnectedSocket from_abi(const vd_sock_flow& flow) {
  ConnectedSocket socket;
  socket.netns = flow.netns;
  socket.cookie = flow.cookie;
  socket.protocol = static_cast<base::Protocol>(flow.sock.proto);
  socket.local = {from_abi(flow.local), ntohs(flow.local_port)};
  socket.backend = {from_abi(flow.sock.peer.backend), ntohs(flow.sock.peer.backend_port)};
  socket.bound_ifindex = flow.bound_ifindex;
  socket.backend_id = flow.sock.peer.backend_id;
  socket.backend_generation = flow.sock.peer.backend_generation;
  return socket;
}

}  // namespace viaduct::dataplane
