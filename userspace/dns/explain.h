#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dns/name.h"
#include "dns/record.h"
#include "dns/table.h"

namespace viaduct::dns {

/// What a table says about a question, and where.
struct Explanation {
  const Table::ZoneInfo* zone = nullptr;  ///< null: none of ours; what follows says nothing then
  std::uint32_t serial = 0;               ///< of the zone's SOA
  Name name;            ///< as the table knows it: folded, an alias's suffix replaced by the apex
  bool exists = false;  ///< there are records of it, or names below it
  std::vector<Record> records;          ///< of the type; of all types for ANY
  std::optional<std::uint32_t> slot{};  ///< the element of vd_dns_slot_v1
  bool fits_slot = false;               ///< false: its record sets lie beside, for user space only
};

/// The writer's thread.
Explanation explain(const Table& table, const Name& name, std::uint16_t type);

}  // namespace viaduct::dns
