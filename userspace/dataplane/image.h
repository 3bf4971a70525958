#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <variant>
#include <vector>

#include "base/address.h"
#include "lb/weighted.h"
#include "service/row.h"
#include "service/vip.h"

namespace viaduct::dataplane {

/// Values of enum vd_pick in <viaduct/abi/service.h>.
enum class Pick : std::uint8_t {
  hash = 0,
  random = 1,
  least_loaded = 2,
  source = 3,
  round_robin = 4,
  peak_ewma = 5
};

/// Slots of a service's region: its table and its members (vd_member_room() in the ABI).
std::uint32_t region_size(std::uint32_t slot_count);

/// A service as its map holds it.
struct ServiceEntry {
  service::VipKey key;
  std::uint32_t id = 0;
  std::uint32_t slot_offset = 0;
  std::uint32_t slot_count = 0;
  Pick sock_pick = Pick::least_loaded;
  Pick packet_pick = Pick::hash;
  service::Affinity affinity;
  /// The region that this one replaced, as long as flows that began before may need it.
  std::uint32_t before_offset = 0;
  std::uint32_t before_count = 0;     ///< 0: none
  std::chrono::seconds before_at{0};  ///< when that was, on base::Clock

  bool operator==(const ServiceEntry&) const = default;
};

/// A backend as its map holds it; `service_id` is never 0 here.
struct BackendEntry {
  std::uint32_t id = 0;
  std::uint32_t generation = 0;
  std::uint32_t service_id = 0;
  base::Endpoint endpoint;
  std::uint16_t weight = 0;
  std::uint32_t node_id = 0;  ///< 0: on this machine

  bool operator==(const BackendEntry&) const = default;
};

/// What the maps hold, slots apart (those are large and are looked at in place).
struct Image {
  std::map<service::VipKey, ServiceEntry> services;
  std::map<std::uint32_t, BackendEntry> backends;
  /// Ids of each service's backends.
  std::map<std::uint32_t, std::set<std::uint32_t>> backends_of;
  /// Ids of other machines, by where tunnels to them end.
  std::map<base::Address, std::uint32_t> nodes;
  /// Last generation of ids that are free now; an id that was never used is absent.
  std::map<std::uint32_t, std::uint32_t> free_generations;
};

/// Sizes of the maps, in elements.
struct Capacity {
  std::uint32_t services = 0;
  std::uint32_t backends = 0;
  std::uint32_t slots = 0;
  std::uint32_t nodes = 0;
};

/// @name Operations
/// Writes to the maps. Each leaves the maps in a state that serves every packet.
/// @{
struct PutNode {
  std::uint32_t id = 0;
  base::Address address;
};
struct PutBackend {
  BackendEntry entry;
  bool fresh = false;  ///< the id gets a new owner: its load is zeroed
};
struct PutSlots {
  std::uint32_t offset = 0;
  lb::Table ids;
};
struct PutService {
  ServiceEntry entry;
};
struct DropService {
  service::VipKey key;
};
struct DropBackend {
  std::uint32_t id = 0;
  std::uint32_t generation = 0;  ///< what the free id is marked with
};
using Op = std::variant<PutNode, PutBackend, PutSlots, PutService, DropService, DropBackend>;
/// @}

/// The generation after one; never 0, which is that of an id that was never used.
std::uint32_t next_generation(std::uint32_t generation);

/// Does to an image what the operation does to the maps (slots apart).
void apply(Image& image, const Op& op);

}  // namespace viaduct::dataplane
