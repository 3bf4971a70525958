#include "dataplane/image.h"

#include <viaduct/abi/service.h>

#include <type_traits>

namespace viaduct::dataplane {

std::uint32_t region_size(std::uint32_t slot_count) {
  return slot_count + vd_member_room(slot_count);
}

std::uint32_t next_generation(std::uint32_t generation) {
  return generation == 0xffffffff ? 1 : generation + 1;
}

void apply(Image& image, const Op& op) {
  std::visit(
      [&](const auto& one) {
        using Kind = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<Kind, PutBackend>) {
          image.backends[one.entry.id] = one.entry;
          image.backends_of[one.entry.service_id].insert(one.entry.id);
          image.free_generations.erase(one.entry.id);
        } else if constexpr (std::is_same_v<Kind, PutNode>) {
          image.nodes[one.address] = one.id;
        } else if constexpr (std::is_same_v<Kind, PutService>) {
          image.services[one.entry.key] = one.entry;
        } else if constexpr (std::is_same_v<Kind, DropService>) {
          image.services.erase(one.key);
        } else if constexpr (std::is_same_v<Kind, DropBackend>) {
          if (const auto found = image.backends.find(one.id); found != image.backends.end()) {
            const auto owner = image.backends_of.find(found->second.service_id);
            owner->second.erase(one.id);
            if (owner->second.empty()) image.backends_of.erase(owner);
            image.backends.erase(found);
          }
          image.free_generations[one.id] = one.generation;
        } else {
          static_assert(std::is_same_v<Kind, PutSlots>);
        }
      },
      op);
}

}  // namespace viaduct::dataplane
