#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "dns/answer_memory.h"
#include "dns/name.h"
#include "dns/record_sets.h"

namespace viaduct::dns {

/// What exists at a name, copied out of the table at one moment.
class Found {
 public:
  /// @return absent: NODATA.
  std::optional<Answer> find(std::uint16_t type) const { return find_set(sets(), count_, type); }
  void append_to(const Name& owner, std::vector<Record>& records) const {
    append_records(owner, sets(), count_, records);
  }
  /// How many records the name has.
  std::size_t record_count() const { return dns::record_count(sets(), count_); }

 private:
  friend class AnswerSlots;
  const std::uint8_t* sets() const;

  std::array<std::uint64_t, VD_DNS_SLOT_DATA / 8> data_;  ///< as of vd_dns_slot
  std::vector<std::uint64_t> block_;                      ///< empty: the sets are in data_
  std::size_t sets_at_ = 0;
  std::uint8_t count_ = 0;
};

/// The names of all zones in one memory: an index of buckets and a slot for each name, changed in
/// place by one thread while any others read. Each slot is guarded by a sequence lock, so a reader
/// copies what was written at one moment, and the writer never waits.
///
/// Names whose record sets do not fit a slot, and those that lead to another one (CNAME), which the
/// kernel does not follow, lie in blocks beside. A block belongs to a slot and is guarded by its
/// lock; it is used again, but not given back while the table lives, so a late reader meets words
/// of another name at worst, and sees by the lock that it has to look again.
class AnswerSlots {
 public:
  /// @param memory  of zeros.
  /// @param seed  for the hash: names must not be able to choose their bucket.
  AnswerSlots(AnswerMemory memory, std::uint64_t seed);

  /// Looks a name up. Any thread.
  /// @return false: the name does not exist.
  bool find(const FoldedName& name, Found& found) const { return find(name, hash(name), found); }
  /// @param hash  of the name.
  bool find(const FoldedName& name, std::uint64_t hash, Found& found) const;
  std::uint64_t hash(const FoldedName& name) const { return name.hash(seed_); }

  /// Asks the processor for what find() will read, first the index, then, when that is there, the
  /// slot: of many names that are looked up one after the other, so that it waits once for all.
  void fetch_index(std::uint64_t hash) const;
  void fetch_slot(std::uint64_t hash) const;

  /// What the writer does. One thread.
  enum class Put { done, full };

  /// Sets what exists at a name. Its parents are the caller's matter.
  /// @param name  folded.
  /// @return full: there is no room for another name; nothing was changed.
  Put put(const Name& name, std::uint8_t zone, RecordSets sets);
  /// Takes a name away; does nothing if there is none.
  void erase(const Name& name);
  /// How many names right below exist; absent: the name does not exist.
  std::optional<std::uint32_t> below(const Name& name) const;
  /// @param name  exists.
  void set_below(const Name& name, std::uint32_t below);

  /// Calls `tell(name, zone, below, sets octets, count)` for each name. The writer's thread.
  template <class Tell>
  void each(Tell tell) const {
    for (std::uint32_t slot = 0; slot < next_; ++slot) {
      const vd_dns_slot& s = memory_.slots[slot];
      if (s.name_octets == 0) continue;
      const std::uint8_t* octets = block_of(s).octets ? block_of(s).begin() : s.data;
      tell(Name::from_wire({octets, s.name_octets}), s.zone, s.below,
           octets + padded(s.name_octets), s.sets);
    }
  }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return memory_.slots.size(); }
  const AnswerMemory& memory() const { return memory_; }
  /// Where a name stands; absent: it does not exist. The writer's thread.
  std::optional<std::uint32_t> slot_of(const Name& name) const;
  bool fits(std::uint32_t slot) const { return !(memory_.slots[slot].flags & VD_DNS_ELSEWHERE); }

 private:
  enum class Read { same, other, again };

  std::array<std::size_t, 2> buckets_of(std::uint64_t hash) const;
  /// Where a name's octets lie that do not fit its slot.
  struct Block {
    std::uint64_t* words = nullptr;
    std::uint64_t octets = 0;  ///< in use: the name filled up, then the sets; 0: no block

    const std::uint8_t* begin() const { return reinterpret_cast<const std::uint8_t*>(words); }
  };

  Read read(std::uint32_t slot, const FoldedName& name, Found& found) const;
  static Block block_of(const vd_dns_slot& slot);
  Block make_block(const Name& name, const RecordSets& sets);
  void give_block(const Block& block);
  /// The entry of a name in the index; null: there is none.
  __u64* entry_of(const FoldedName& name) const;
  __u64* free_entry(std::uint64_t hash);
  std::uint32_t take_slot();
  void write(std::uint32_t slot, const vd_dns_slot& wanted);

  AnswerMemory memory_;
  const std::uint64_t seed_;
  const std::uint64_t mask_;
  std::vector<std::uint32_t> free_;  ///< slots below next_ that hold nothing
  std::uint32_t next_ = 0;           ///< the first slot that was never used
  std::size_t size_ = 0;
  std::map<std::size_t, std::vector<std::uint64_t*>> free_blocks_;  ///< by their words
  std::vector<std::unique_ptr<std::uint64_t[]>> blocks_;            ///< all
};

}  // namespace viaduct::dns
