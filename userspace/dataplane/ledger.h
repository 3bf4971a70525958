#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/time.h"
#include "dataplane/image.h"

namespace viaduct::dataplane {

/// How long a freed id or slot region rests before it is used again, so that no program that is
/// running meanwhile meets it twice.
inline constexpr base::Duration kGrace = std::chrono::seconds(2);

/// Which ids and slot regions are free. Built from an image, then kept in step by whoever plans;
/// after a failed write it is built anew from what the maps really hold.
class Ledger {
 public:
  Ledger(const Image& image, const Capacity& capacity);
  /// The same, and what rests in `before` goes on resting.
  Ledger(const Image& image, const Capacity& capacity, const Ledger& before);

  std::uint32_t take_service_id() { return ++last_service_id_; }

  /// @return absent when all ids are in use or resting.
  std::optional<std::uint32_t> take_backend_id(base::Time now);
  void give_backend_id(std::uint32_t id, base::Time now);

  /// @return the first slot of `count` adjacent free ones; absent when there is no such gap.
  std::optional<std::uint32_t> take_region(std::uint32_t count, base::Time now);
  void give_region(std::uint32_t offset, std::uint32_t count, base::Time now);

  /// Whether a region lies within the map and overlaps no other: false after a foreign edit.
  bool owns_region(std::uint32_t offset, std::uint32_t count) const;

  /// @return absent when all ids of other machines are in use.
  std::optional<std::uint32_t> take_node_id();

  std::uint32_t free_slots() const { return free_slots_; }

 private:
  struct Resting {
    std::uint32_t offset;
    std::uint32_t count;
    base::Time since;
  };
  void wake(base::Time now);
  void add_gap(std::uint32_t offset, std::uint32_t count);
  /// Takes a given region out of the gaps; false if any part of it is not free.
  bool reserve(std::uint32_t offset, std::uint32_t count);

  Capacity capacity_;
  std::uint32_t last_service_id_ = 0;
  std::uint32_t next_backend_id_ = 1;  ///< ids from here on were never used
  std::deque<std::uint32_t> free_ids_;
  std::deque<std::pair<std::uint32_t, base::Time>> resting_ids_;
  std::map<std::uint32_t, std::uint32_t> gaps_;  ///< free regions: offset -> count, never adjacent
  std::map<std::uint32_t, std::uint32_t> regions_;  ///< used regions: offset -> count
  std::deque<Resting> resting_regions_;
  std::uint32_t free_slots_ = 0;
  std::uint32_t next_node_id_ = 1;
};

}  // namespace viaduct::dataplane
