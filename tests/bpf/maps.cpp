// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/maps.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <time.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace viaduct::bpftest {
namespace {

constexpr std::uint32_t kTestEntries = 8192;

void check(int rc, const char* what) {
  if (rc < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(-rc));
}

std::uint32_t now_s() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint32_t>(now.tv_sec);
}

}  // namespace

vd_addr addr(const std::string& text) {
  vd_addr out{};
  if (text.find(':') == std::string::npos) {
    out.bytes[10] = out.bytes[11] = 0xff;
    if (inet_pton(AF_INET, text.c_str(), out.bytes + 12) == 1) return out;
  } else if (inet_pton(AF_INET6, text.c_str(), out.bytes) == 1) {
    return out;
  }
  std::abort();
}

bool is_v4(const vd_addr& address) {
  static constexpr std::uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(address.bytes, kPrefix, sizeof kPrefix) == 0;
}

std::string text(const vd_addr& address) {
  char out[INET6_ADDRSTRLEN] = "";
  if (is_v4(address)) return inet_ntop(AF_INET, address.bytes + 12, out, sizeof out);
  return inet_ntop(AF_INET6, address.bytes, out, sizeof out);
}

void unpin_maps(bpf_object* object) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    bpf_map__set_pin_path(map, nullptr);
    const bool is_indexed_by_hash = std::strcmp(bpf_map__name(map), "vd_flow_set_v1") == 0;
    if (bpf_map__max_entries(map) > kTestEntries && !is_indexed_by_hash)
      bpf_map__set_max_entries(map, kTestEntries);
  }
}

int Maps::fd(const char* name) {
  const int fd = bpf_object__find_map_fd_by_name(object_, name);
  check(fd, name);
  return fd;
}

ServiceIds Maps::add(const ServiceSpec& spec) {
  ServiceIds ids{next_service_++, {}};
  std::uint32_t weights = 0;
  for (const BackendSpec& b : spec.backends) {
    ids.backends.push_back(next_backend_++);
    weights += b.weight;
    vd_backend value{};
    value.addr = addr(b.address);
    value.port = htons(b.port);
    value.weight = b.weight;
    value.generation = next_generation_++;
    value.service_id = ids.service;
    check(bpf_map_update_elem(fd("vd_backend_v1"), &ids.backends.back(), &value, BPF_ANY),
          "backend");
    const vd_load zero{};
    check(bpf_map_update_elem(fd("vd_load_v1"), &ids.backends.back(), &zero, BPF_ANY), "load");
  }
  std::vector<std::uint32_t> dealt;  // one id per weight
  for (std::size_t i = 0; i < spec.backends.size(); ++i)
    dealt.insert(dealt.end(), spec.backends[i].weight, ids.backends[i]);
  const std::uint32_t offset = next_slot_;
  std::vector<std::uint32_t> region;
  for (std::uint32_t s = 0; weights > 0 && spec.table.empty() && s < spec.slots; ++s)
    region.push_back(dealt[s % dealt.size()]);
  for (const std::size_t index : spec.table) region.push_back(ids.backends.at(index));
  const auto count = static_cast<std::uint32_t>(region.size());
  region.insert(region.end(), ids.backends.begin(), ids.backends.end());
  region.resize(count + vd_member_room(count));
  write_slots(offset, region);
  next_slot_ += (static_cast<std::uint32_t>(region.size()) + VD_SLOTS_PER_LINE - 1) /
                VD_SLOTS_PER_LINE * VD_SLOTS_PER_LINE;

  vd_service service{};
  service.id = ids.service;
  service.slot_offset = offset;
  service.slot_count = count;
  service.sock_pick = spec.pick;
  service.packet_pick = spec.pick;
  service.affinity_by = spec.affinity_by;
  service.affinity_s = spec.affinity_s;
  put_service(spec, service);
  return ids;
}

void Maps::put_service(const ServiceSpec& spec, const vd_service& service) {
  const vd_addr vip = addr(spec.vip);
  if (is_v4(vip)) {
    const vd_service4_key key{vip.words[3], htons(spec.port), spec.proto, 0};
    check(bpf_map_update_elem(fd("vd_service4_v1"), &key, &service, BPF_ANY), "service4");
  } else {
    const vd_service6_key key{vip, htons(spec.port), spec.proto, 0};
    check(bpf_map_update_elem(fd("vd_service6_v1"), &key, &service, BPF_ANY), "service6");
  }
}

vd_service Maps::service(const ServiceSpec& spec) {
  const vd_addr vip = addr(spec.vip);
  vd_service value{};
  const vd_service4_key key4{vip.words[3], htons(spec.port), spec.proto, 0};
  const vd_service6_key key6{vip, htons(spec.port), spec.proto, 0};
  check(is_v4(vip) ? bpf_map_lookup_elem(fd("vd_service4_v1"), &key4, &value)
                   : bpf_map_lookup_elem(fd("vd_service6_v1"), &key6, &value),
        "service");
  return value;
}

void Maps::change_slots(const ServiceSpec& spec, const std::vector<std::uint32_t>& ids) {
  vd_service value = service(spec);
  std::vector<std::uint32_t> region;
  for (std::uint32_t s = 0; s < spec.slots; ++s) region.push_back(ids[s % ids.size()]);
  region.insert(region.end(), ids.begin(), ids.end());
  region.resize(spec.slots + vd_member_room(spec.slots));
  write_slots(next_slot_, region);
  value.before_offset = value.slot_offset;
  value.before_count = value.slot_count;
  value.before_s = now_s();
  value.slot_offset = next_slot_;
  value.slot_count = spec.slots;
  next_slot_ += (static_cast<std::uint32_t>(region.size()) + VD_SLOTS_PER_LINE - 1) /
                VD_SLOTS_PER_LINE * VD_SLOTS_PER_LINE;
  put_service(spec, value);
}

void Maps::age_change(const ServiceSpec& spec, std::uint32_t seconds) {
  vd_service value = service(spec);
  value.before_s -= seconds;
  put_service(spec, value);
}

void Maps::set_node(std::uint32_t id, std::uint32_t node) {
  vd_backend value = backend(id);
  value.node_id = node;
  check(bpf_map_update_elem(fd("vd_backend_v1"), &id, &value, BPF_ANY), "backend");
}

void Maps::write_slots(std::uint32_t offset, const std::vector<std::uint32_t>& ids) {
  for (std::size_t s = 0; s < ids.size(); s += VD_SLOTS_PER_LINE) {
    vd_slot_line line{};
    for (std::size_t i = 0; i < VD_SLOTS_PER_LINE && s + i < ids.size(); ++i)
      line.backend[i] = ids[s + i];
    const auto index = (offset + static_cast<std::uint32_t>(s)) / VD_SLOTS_PER_LINE;
    check(bpf_map_update_elem(fd("vd_slot_v1"), &index, &line, BPF_ANY), "slot");
  }
}

void Maps::remove_service(const ServiceSpec& spec) {
  const vd_addr vip = addr(spec.vip);
  if (is_v4(vip)) {
    const vd_service4_key key{vip.words[3], htons(spec.port), spec.proto, 0};
    check(bpf_map_delete_elem(fd("vd_service4_v1"), &key), "service4");
  } else {
    const vd_service6_key key{vip, htons(spec.port), spec.proto, 0};
    check(bpf_map_delete_elem(fd("vd_service6_v1"), &key), "service6");
  }
}

vd_backend Maps::backend(std::uint32_t id) {
  vd_backend value{};
  check(bpf_map_lookup_elem(fd("vd_backend_v1"), &id, &value), "backend");
  return value;
}

void Maps::remove_backend(std::uint32_t id) {
  vd_backend value = backend(id);
  value.generation = next_generation_++;
  value.service_id = 0;
  check(bpf_map_update_elem(fd("vd_backend_v1"), &id, &value, BPF_ANY), "backend");
}

void Maps::set_weight(std::uint32_t id, std::uint16_t weight) {
  vd_backend value = backend(id);
  value.weight = weight;
  check(bpf_map_update_elem(fd("vd_backend_v1"), &id, &value, BPF_ANY), "backend");
}

void Maps::replace_backend(std::uint32_t id, const BackendSpec& spec) {
  vd_backend value = backend(id);
  value.addr = addr(spec.address);
  value.port = htons(spec.port);
  value.weight = spec.weight;
  value.generation = next_generation_++;
  check(bpf_map_update_elem(fd("vd_backend_v1"), &id, &value, BPF_ANY), "backend");
  set_load(id, vd_load{});
}

vd_load Maps::load(std::uint32_t id) {
  vd_load value{};
  check(bpf_map_lookup_elem(fd("vd_load_v1"), &id, &value), "load");
  return value;
}

void Maps::set_load(std::uint32_t id, const vd_load& value) {
  check(bpf_map_update_elem(fd("vd_load_v1"), &id, &value, BPF_ANY), "load");
}

std::uint64_t Maps::count(vd_hook hook, vd_reason reason) {
  std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  const std::uint32_t index = static_cast<std::uint32_t>(hook) * VD_REASON_MAX + reason;
  check(bpf_map_lookup_elem(fd("vd_counter_v1"), &index, per_cpu.data()), "counter");
  std::uint64_t sum = 0;
  for (const std::uint64_t n : per_cpu) sum += n;
  return sum;
}

std::uint64_t Maps::counted() {
  std::uint64_t sum = 0;
  for (int hook = 0; hook < VD_HOOK_COUNT; ++hook)
    for (int reason = 1; reason < VD_REASON_COUNT; ++reason)
      sum += count(static_cast<vd_hook>(hook), static_cast<vd_reason>(reason));
  return sum;
}

namespace {

constexpr const char* kFlowTables[] = {"vd_flow_v1", "vd_flow_new_v1"};

std::string tuple_of(const vd_flow_key& key) {
  return text(key.src) + " " + std::to_string(ntohs(key.sport)) + " > " + text(key.dst) + " " +
         std::to_string(ntohs(key.dport));
}

}  // namespace

// A settled flow fills the first part of the value.
void Maps::for_each_flow(const char* table,
                         const std::function<void(const vd_flow_key&, vd_flow_new&)>& see) {
  std::vector<vd_flow_key> keys;
  vd_flow_key next{};
  while (bpf_map_get_next_key(fd(table), keys.empty() ? nullptr : &keys.back(), &next) == 0)
    keys.push_back(next);
  for (const vd_flow_key& key : keys) {
    vd_flow_new value{};
    if (bpf_map_lookup_elem(fd(table), &key, &value) == 0) see(key, value);
  }
}

std::map<std::string, vd_flow> Maps::flows(const char* table) {
  std::map<std::string, vd_flow> out;
  for_each_flow(table,
                [&](const auto& key, const auto& value) { out[tuple_of(key)] = value.flow; });
  return out;
}

std::map<std::string, vd_flow> Maps::flows() {
  std::map<std::string, vd_flow> out = flows("vd_flow_v1");
  out.merge(flows("vd_flow_new_v1"));
  return out;
}

void Maps::lose_flow(const std::string& tuple) {
  for (const char* table : kFlowTables)
    for_each_flow(table, [&](const auto& key, const auto&) {
      if (tuple_of(key) == tuple) check(bpf_map_delete_elem(fd(table), &key), "flow");
    });
}

void Maps::age_flows(std::uint32_t seconds) {
  for (const char* table : kFlowTables)
    for_each_flow(table, [&](const auto& key, auto& value) {
      value.flow.last_seen_s -= seconds;
      check(bpf_map_update_elem(fd(table), &key, &value, BPF_EXIST), "flow");
    });
}

}  // namespace viaduct::bpftest
