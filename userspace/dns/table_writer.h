#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/result.h"
#include "dns/answer_memory.h"
#include "dns/table.h"

namespace viaduct::dns {

/// Most names of a table, those without records included.
inline constexpr std::size_t kMaxNames = 1U << 23;

/// Writes the answer table: the one thread that does. What is set of a name is answered from that
/// moment by all who hold the table, unless it had to grow; what is said of zones, and a grown
/// table, by those who take table() anew.
class TableWriter {
 public:
  /// @param seed  random: whoever names tasks must not be able to choose buckets.
  /// @param names  that there is room for at first; it doubles when that is used up.
  explicit TableWriter(AllocateAnswers allocate = allocate_plain, std::uint64_t seed = 0,
                       std::size_t names = 4096);

  /// Adds a zone, or brings its SOA and readiness up to date. All else stays as it was first.
  /// @return whether it is new.
  bool set_zone(const ZoneHead& head);

  /// Sets all records of a name in a zone; none: the name goes, unless there are names below it.
  /// The apex's SOA is not among them.
  /// @param apex  of a zone that was set.
  void set_name(const Name& apex, const Name& owner, std::vector<Record> records);

  /// Sets a zone, and all its records; what the call before said of it is remembered, and only
  /// what differs is written.
  void set_whole(const Zone& zone);

  std::shared_ptr<const Table> table();

  /// For what keeps names beside, under the same rule.
  std::uint64_t seed() const { return seed_; }

  /// What could not be used since the last call; all else is served: a record outside its zone, the
  /// records of a set behind its first kMaxBodyOctets, suffixes behind the first kMaxSuffixes, an
  /// alias that grows too much, names that there is no room for.
  std::vector<base::Error> take_rejected() { return std::exchange(rejected_, {}); }

 private:
  struct Known {
    ZoneHead head;
    Name apex;  ///< folded
    Table::ZoneInfo info;
    std::vector<Record> whole;  ///< sorted, owners folded; of set_whole()
  };

  Known* find(const Name& apex);
  void reject(base::Errc code, std::string context);
  void add_suffixes(Known& zone);
  std::vector<Record> sorted(const Zone& zone);
  void write(const Known& zone, const Name& owner, std::vector<Record> records);
  bool put(const Known& zone, const Name& name, const RecordSets& sets);
  bool make_parents(const Known& zone, const Name& name);
  void erase(const Known& zone, Name name);
  bool grow();
  bool copy_to(AnswerSlots& slots) const;
  std::vector<Record> records_of(const Name& owner) const;
  std::size_t count_of(const Name& owner) const;
  std::uint8_t number_of(const Known& zone) const {
    return static_cast<std::uint8_t>(&zone - zones_.data());
  }

  AllocateAnswers allocate_;
  std::uint64_t seed_;
  std::size_t first_names_;
  std::shared_ptr<AnswerSlots> slots_;
  std::vector<Known> zones_;
  std::size_t suffixes_ = 0;
  std::size_t records_ = 0;
  std::shared_ptr<const Table> table_;  ///< null: something was said of zones, or it grew
  std::vector<base::Error> rejected_;
};

/// A table of given zones.
struct BuiltTable {
  std::shared_ptr<const Table> table;
  std::vector<base::Error> rejected;
};
BuiltTable build_table(std::span<const Zone> zones);

}  // namespace viaduct::dns
