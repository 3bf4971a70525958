#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/name.h"
#include "dns/question.h"
#include "dns/record.h"

namespace viaduct::dns {

/// Most octets of one record set's answer body, so that question, body and OPT always fit one TCP
/// message.
inline constexpr std::size_t kMaxBodyOctets = 60000;
/// Most zone suffixes of a table, aliases included; each query compares them in turn.
inline constexpr std::size_t kMaxSuffixes = 64;

/// All that is served below one apex.
struct Zone {
  Name apex;
  /// Other apexes under which the same names exist; the client sees the name that it asked for. An
  /// alias is at most FoldedName::kMaxGrowth octets shorter than the apex.
  std::vector<Name> aliases;
  Soa soa;
  /// False: what exists is not known yet, so every name of the zone gets SERVFAIL.
  bool ready = true;
  std::vector<Record> records;  ///< the SOA apart
};

/// The answers to every question about a list of zones, compiled. Immutable, so any number of
/// threads may read it.
///
/// An open-addressed hash table of folded names. What exists at a name lies in one piece: the name,
/// then its record sets, so a look-up touches two or three cache lines. A set's body is the answer
/// section as it goes on the wire: all its records belong to the question's name, so each owner is
/// the pointer C0 0C, and the octets are the same for whatever case or alias the client used. A
/// name that only has names below it (an empty non-terminal) has no sets.
class Table {
 public:
  /// What build() could not use; the rest is served.
  struct Built;

  /// Compiles zones.
  /// Left out with an error: a record outside its zone, the records of a set behind its first
  /// kMaxBodyOctets, suffixes behind the first kMaxSuffixes, an alias that grows too much. Records
  /// that occur twice count once; a set has the shortest TTL of its records.
  static Built build(std::span<const Zone> zones);

  /// One record set's answer.
  struct Answer {
    std::span<const std::uint8_t> body;  ///< twice in a row when unit_octets is not 0
    std::uint16_t records = 0;
    std::uint16_t unit_octets =
        0;  ///< octets of one record if all are equally long and there are several
  };

  struct ZoneInfo {
    bool ready = true;
    std::vector<std::uint8_t>
        negative;  ///< the SOA for the authority section; its owner is a pointer to be filled in
  };

  /// A question's zone and its name as the table knows it.
  struct Place {
    const ZoneInfo* zone;
    std::size_t prefix_octets;  ///< octets of the asked name before the zone's suffix
  };

  /// Finds the zone with the longest suffix of the question's name.
  /// @param name  the folded question name; an alias suffix in it is replaced by the apex.
  std::optional<Place> locate(const Question& question, FoldedName& name) const;

  /// What exists at a name.
  class Entry {
   public:
    /// @param octets  the piece that starts with the sets.
    explicit Entry(const std::uint8_t* octets) : octets_(octets) {}
    /// The records of a type; for ANY those of one type, A before all others (RFC 8482, 4.1).
    /// @return absent: NODATA.
    std::optional<Answer> find(std::uint16_t type) const;

   private:
    const std::uint8_t* octets_;
  };

  /// @return absent if the name does not exist.
  std::optional<Entry> find(const FoldedName& name) const;

  /// All records, SOAs included; sorted by owner in wire form, then type.
  std::vector<Record> records() const;
  std::size_t record_count() const { return record_count_; }

 private:
  struct Slot {
    std::uint32_t tag = 0;     ///< upper half of the name's hash
    std::uint32_t offset = 0;  ///< of the name's piece in octets_; 0: the slot is free
  };
  struct Suffix {
    std::vector<std::uint8_t> wire;  ///< folded
    std::uint8_t labels = 0;
    std::uint32_t zone = 0;
  };
  class Compiler;

  std::vector<Slot>
      slots_;  ///< a power of two, at most half of them used; empty if there are no names
  std::vector<std::uint8_t> octets_;
  std::vector<ZoneInfo> zones_;
  std::vector<std::vector<std::uint8_t>> apexes_;  ///< folded, by zone
  std::vector<Suffix> suffixes_;                   ///< most labels first
  std::size_t record_count_ = 0;
};

struct Table::Built {
  Table table;
  std::vector<base::Error> rejected;
};

}  // namespace viaduct::dns
