// SPDX-License-Identifier: Apache-2.0
// Services written into the programs' maps as the daemon would, without its code.
#pragma once

#include <bpf/libbpf.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/node.h>
#include <viaduct/abi/reason.h>
#include <viaduct/abi/service.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace viaduct::bpftest {

/// @param text  an IPv4 or IPv6 address; aborts on anything else.
vd_addr addr(const std::string& text);
std::string text(const vd_addr& address);
bool is_v4(const vd_addr& address);

struct BackendSpec {
  std::string address;
  std::uint16_t port;
  std::uint16_t weight = 1;
};

struct ServiceSpec {
  std::string vip;
  std::uint16_t port;
  std::uint8_t proto;
  std::vector<BackendSpec> backends;
  vd_pick pick = VD_PICK_RANDOM;
  std::uint32_t slots = 1024;
  vd_affinity_by affinity_by = VD_AFFINITY_NONE;
  std::uint32_t affinity_s = 0;
  /// Slot by slot the index of its backend, instead of `slots` dealt out by weight.
  std::vector<std::size_t> table{};
};

struct ServiceIds {
  std::uint32_t service;
  std::vector<std::uint32_t> backends;
};

/// Before load: no map is pinned, so nothing outlives the test, and none is larger than a test
/// needs.
void unpin_maps(bpf_object* object);

/// The shared maps of a loaded object. Borrows the object.
class Maps {
 public:
  explicit Maps(bpf_object* object) : object_(object) {}

  /// Slots are dealt out by weight, interleaved, unless the spec has a table.
  ServiceIds add(const ServiceSpec& spec);
  void remove_service(const ServiceSpec& spec);
  /// Frees the id. Slots keep naming it, as they do for a moment in the daemon.
  void remove_backend(std::uint32_t id);
  void set_weight(std::uint32_t id, std::uint16_t weight);
  /// Says on which machine a backend is; 0: on this one.
  void set_node(std::uint32_t id, std::uint32_t node);
  /// Deals the slots out anew, in another region, which replaces the one that there is.
  void change_slots(const ServiceSpec& spec, const std::vector<std::uint32_t>& ids);
  /// As if the last change were longer ago.
  void age_change(const ServiceSpec& spec, std::uint32_t seconds);
  /// Gives an id away to another backend.
  void replace_backend(std::uint32_t id, const BackendSpec& spec);

  vd_load load(std::uint32_t id);
  void set_load(std::uint32_t id, const vd_load& value);
  vd_backend backend(std::uint32_t id);
  std::uint64_t count(vd_hook hook, vd_reason reason);
  /// Sum over all hooks and reasons but NEXT.
  std::uint64_t counted();

  int fd(const char* name);
  /// The entries of both flow tables; by tuple, "ADDRESS PORT > ADDRESS PORT".
  std::map<std::string, vd_flow> flows();
  /// The entries of one: "vd_flow_v1" or "vd_flow_new_v1".
  std::map<std::string, vd_flow> flows(const char* table);
  /// Loses the entry of a tuple, in whichever table it is.
  void lose_flow(const std::string& tuple);
  /// Makes every entry look as if it was last used `seconds` earlier.
  void age_flows(std::uint32_t seconds);

 private:
  /// @param offset  a multiple of VD_SLOTS_PER_LINE.
  void put_service(const ServiceSpec& spec, const vd_service& service);
  vd_service service(const ServiceSpec& spec);
  void write_slots(std::uint32_t offset, const std::vector<std::uint32_t>& ids);

  void for_each_flow(const char* table,
                     const std::function<void(const vd_flow_key&, vd_flow_new&)>& see);

  bpf_object* object_;
  std::uint32_t next_backend_ = 1;
  std::uint32_t next_service_ = 1;
  std::uint32_t next_slot_ = 16;
  std::uint32_t next_generation_ = 1;
};

}  // namespace viaduct::bpftest
