#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "dns/record.h"
#include "dns/table_writer.h"

namespace viaduct::dns::zones {

/// Records that several rows may have in common: one is served as long as any row has it. Costs
/// what changes.
class SharedRecords {
 public:
  void add(const Record& record);
  /// @param record  one that was added as often as it is removed, with the same TTL.
  void remove(const Record& record);

  /// Writes the names that were touched since the last call.
  /// @param apexes  of the zones that all names lie in; the longest counts.
  void write(TableWriter& writer, std::span<const Name> apexes);

 private:
  struct Counted {
    Type type;
    std::uint32_t ttl_s;
    std::vector<std::uint8_t> data;
    std::size_t count;

    bool is(const Record& record) const { return type == record.type && data == record.data; }
  };

  std::map<Name, std::vector<Counted>> names_;  ///< by folded owner
  std::set<Name> touched_;
};

}  // namespace viaduct::dns::zones
