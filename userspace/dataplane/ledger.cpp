#include "dataplane/ledger.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace viaduct::dataplane {

Ledger::Ledger(const Image& image, const Capacity& capacity) : capacity_(capacity) {
  add_gap(0, capacity.slots);
  for (const auto& [key, entry] : image.services) {
    last_service_id_ = std::max(last_service_id_, entry.id);
    const std::uint32_t size = region_size(entry.slot_count);
    if (size > 0 && reserve(entry.slot_offset, size)) regions_.emplace(entry.slot_offset, size);
    const std::uint32_t before = region_size(entry.before_count);
    if (before > 0 && reserve(entry.before_offset, before))
      regions_.emplace(entry.before_offset, before);
  }
  for (const auto& [id, entry] : image.backends)
    last_service_id_ = std::max(last_service_id_, entry.service_id);
  for (const auto& [address, id] : image.nodes) next_node_id_ = std::max(next_node_id_, id + 1);
  std::uint32_t last_used = 0;
  if (!image.backends.empty()) last_used = image.backends.rbegin()->first;
  if (!image.free_generations.empty())
    last_used = std::max(last_used, image.free_generations.rbegin()->first);
  for (std::uint32_t id = 1; id <= last_used; id++)
    if (!image.backends.contains(id)) free_ids_.push_back(id);
  next_backend_id_ = last_used + 1;
}

Ledger::Ledger(const Image& image, const Capacity& capacity, const Ledger& before)
    : Ledger(image, capacity) {
  const std::set<std::uint32_t> free(free_ids_.begin(), free_ids_.end());
  std::set<std::uint32_t> resting_again;
  for (const auto& resting : before.resting_ids_)
    if (free.contains(resting.first) && resting_again.insert(resting.first).second)
      resting_ids_.push_back(resting);
  std::erase_if(free_ids_, [&](std::uint32_t id) { return resting_again.contains(id); });
  for (const Resting& resting : before.resting_regions_)
    if (reserve(resting.offset, resting.count)) resting_regions_.push_back(resting);
}

std::optional<std::uint32_t> Ledger::take_backend_id(base::Time now) {
  wake(now);
  if (!free_ids_.empty()) {
    const std::uint32_t id = free_ids_.front();
    free_ids_.pop_front();
    return id;
  }
  if (next_backend_id_ < capacity_.backends) return next_backend_id_++;
  return std::nullopt;
}

void Ledger::give_backend_id(std::uint32_t id, base::Time now) {
  resting_ids_.emplace_back(id, now);
}

std::optional<std::uint32_t> Ledger::take_region(std::uint32_t count, base::Time now) {
  wake(now);
  const auto gap = std::find_if(gaps_.begin(), gaps_.end(),
                                [&](const auto& entry) { return entry.second >= count; });
  if (gap == gaps_.end()) return std::nullopt;
  const std::uint32_t offset = gap->first;
  reserve(offset, count);
  regions_.emplace(offset, count);
  return offset;
}

void Ledger::give_region(std::uint32_t offset, std::uint32_t count, base::Time now) {
  const auto found = regions_.find(offset);
  if (found == regions_.end() || found->second != count) return;
  regions_.erase(found);
  resting_regions_.push_back({offset, count, now});
}

bool Ledger::owns_region(std::uint32_t offset, std::uint32_t count) const {
  const auto found = regions_.find(offset);
  return found != regions_.end() && found->second == count;
}

std::optional<std::uint32_t> Ledger::take_node_id() {
  if (next_node_id_ >= capacity_.nodes) return std::nullopt;
  return next_node_id_++;
}

void Ledger::wake(base::Time now) {
  while (!resting_ids_.empty() && now - resting_ids_.front().second >= kGrace) {
    free_ids_.push_back(resting_ids_.front().first);
    resting_ids_.pop_front();
  }
  while (!resting_regions_.empty() && now - resting_regions_.front().since >= kGrace) {
    add_gap(resting_regions_.front().offset, resting_regions_.front().count);
    resting_regions_.pop_front();
  }
}

void Ledger::add_gap(std::uint32_t offset, std::uint32_t count) {
  if (count == 0) return;
  free_slots_ += count;
  auto next = gaps_.lower_bound(offset);
  if (next != gaps_.end() && offset + count == next->first) {
    count += next->second;
    next = gaps_.erase(next);
  }
  if (next != gaps_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      before->second += count;
      return;
    }
  }
  gaps_.emplace(offset, count);
}

bool Ledger::reserve(std::uint32_t offset, std::uint32_t count) {
  auto gap = gaps_.upper_bound(offset);
  if (gap == gaps_.begin()) return false;
  --gap;
  const std::uint64_t end = std::uint64_t{gap->first} + gap->second;
  if (std::uint64_t{offset} + count > end) return false;
  const std::uint32_t before = offset - gap->first;
  const auto after = static_cast<std::uint32_t>(end - offset - count);
  gaps_.erase(gap);
  if (before > 0) gaps_.emplace(offset - before, before);
  if (after > 0) gaps_.emplace(offset + count, after);
  free_slots_ -= count;
  return true;
}

}  // namespace viaduct::dataplane
