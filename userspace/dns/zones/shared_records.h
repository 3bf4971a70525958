#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/siphash.h"
#include "dns/record.h"
#include "dns/table_writer.h"

namespace viaduct::dns::zones {

/// Records that several rows may have in common: one is served as long as any row has it. Costs
/// what changes.
class SharedRecords {
 public:
  /// @param seed  that nobody knows who names tasks: names that hash alike cost time.
  explicit SharedRecords(std::uint64_t seed = 0) : names_(0, Hash{{seed, ~seed}}) {}

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
    std::string data;  ///< short ones stand in it
    std::size_t count;

    bool is(const Record& record) const;
  };
  struct Owner {
    std::vector<Counted> records;
    bool touched = false;
  };
  struct Hash {
    base::HashKey key;
    std::size_t operator()(const Name& name) const { return base::siphash(key, name.wire()); }
  };
  using Names = std::unordered_map<Name, Owner, Hash>;

  void touch(Names::value_type& name);

  Names names_;  ///< by folded owner
  std::vector<Names::value_type*> touched_;
};

}  // namespace viaduct::dns::zones
