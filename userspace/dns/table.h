#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dns/answer_slots.h"
#include "dns/name.h"
#include "dns/question.h"
#include "dns/record.h"

namespace viaduct::dns {

/// Most zone suffixes of a table, aliases included; each query compares them in turn.
inline constexpr std::size_t kMaxSuffixes = 64;

/// What a zone is, its records apart.
struct ZoneHead {
  Name apex;
  /// Other apexes under which the same names exist; the client sees the name that it asked for. An
  /// alias is at most FoldedName::kMaxGrowth octets shorter than the apex.
  std::vector<Name> aliases;
  Soa soa;
  /// False: what exists is not known yet, so every name of the zone gets SERVFAIL.
  bool ready = true;
  /// A name that does not exist is looked for without the stars that labels behind the first begin
  /// with, as Mesos-DNS has it: "leader.*.mesos" is "leader.mesos".
  bool drops_stars = false;
  /// Answers say that recursion is available (RA), whether anything is forwarded or not.
  bool recursion = false;
};

/// All that is served below one apex.
struct Zone : ZoneHead {
  std::vector<Record> records;  ///< the SOA apart
};

/// The answers to every question about a list of zones, as any thread may read them. What is said
/// of zones stays as it is; the names below them are changed in place by a TableWriter, each at
/// once. A name that only has names below it (an empty non-terminal) has no record sets.
class Table {
 public:
  struct ZoneInfo {
    std::vector<std::uint8_t> apex;  ///< folded
    bool ready = true;
    std::vector<std::uint8_t>
        negative;  ///< the SOA for the authority section; its owner is a pointer to be filled in
    std::vector<std::vector<std::uint8_t>> suffixes;  ///< folded: the apex, then the aliases
    bool drops_stars = false;                         ///< as in ZoneHead
    bool recursion = false;                           ///< the same
  };

  Table(std::shared_ptr<const AnswerSlots> slots, std::vector<ZoneInfo> zones, std::size_t records);

  /// A question's zone and its name as the table knows it.
  struct Place {
    const ZoneInfo* zone;
    std::size_t prefix_octets;  ///< octets of the asked name before the zone's suffix
  };

  /// Finds the zone with the longest suffix of the question's name.
  /// @param name  the folded question name; an alias suffix in it is replaced by the apex.
  std::optional<Place> locate(const Question& question, FoldedName& name) const;

  /// @return false: the name does not exist.
  bool find(const FoldedName& name, Found& found) const { return slots_->find(name, found); }
  bool find(const FoldedName& name, std::uint64_t hash, Found& found) const {
    return slots_->find(name, hash, found);
  }

  /// A name of a zone that drops stars, without them.
  /// @param name  as locate() left it; it does not exist.
  /// @return absent: the zone does not drop them, there are none, or no name is left.
  static std::optional<FoldedName> without_stars(const Place& place, const FoldedName& name);

  /// All records, SOAs included; sorted by owner in wire form, then type. The writer's thread.
  std::vector<Record> records() const;
  std::size_t record_count() const { return records_; }

  const std::vector<ZoneInfo>& zones() const { return zones_; }
  const AnswerSlots& slots() const { return *slots_; }

 private:
  struct Suffix {
    std::vector<std::uint8_t> wire;
    std::size_t labels = 0;
    std::size_t zone = 0;
  };

  std::shared_ptr<const AnswerSlots> slots_;
  std::vector<ZoneInfo> zones_;
  std::vector<Suffix> suffixes_;  ///< most labels first
  std::size_t records_;
};

}  // namespace viaduct::dns
