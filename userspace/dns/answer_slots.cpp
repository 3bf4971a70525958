#include "dns/answer_slots.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "dns/sequence_words.h"

namespace viaduct::dns {
namespace {

constexpr std::size_t kHeadWords = 2;
static_assert(offsetof(vd_dns_slot, data) == kHeadWords * 8);

const Word* words_of(const vd_dns_slot& slot) { return reinterpret_cast<const Word*>(&slot); }
Word* words_of(vd_dns_slot& slot) { return reinterpret_cast<Word*>(&slot); }

constexpr std::size_t kLineOctets = 64;
constexpr std::size_t kUsualOctets = 128;  // of a slot's 256: head, a usual name, one or two sets

/// Where a slot says of its block: behind as much of the name as fits.
constexpr std::size_t kBlockAt = VD_DNS_SLOT_DATA - 16;
constexpr std::size_t kSmallestBlock = 64;  // words

__u64 entry_for(std::uint64_t hash, std::uint32_t slot) { return (hash >> 32 << 32) | (slot + 1U); }

}  // namespace

const std::uint8_t* Found::sets() const {
  const std::uint64_t* words = block_.empty() ? data_.data() : block_.data();
  return reinterpret_cast<const std::uint8_t*>(words) + sets_at_;
}

AnswerSlots::AnswerSlots(AnswerMemory memory, std::uint64_t seed)
    : memory_(std::move(memory)), seed_(seed), mask_(memory_.index.size() - 2) {
  vd_dns_index_head head{};
  head.seed = seed_;
  head.mask = mask_;
  std::memcpy(&memory_.index.front(), &head, sizeof head);
}

std::array<std::size_t, 2> AnswerSlots::buckets_of(std::uint64_t hash) const {
  return {1 + (hash & mask_), 1 + (((hash >> 20) * VD_DNS_HASH_FACTOR >> 32) & mask_)};
}

void AnswerSlots::fetch_index(std::uint64_t hash) const {
  for (const std::size_t bucket : buckets_of(hash)) __builtin_prefetch(&memory_.index[bucket]);
}

void AnswerSlots::fetch_slot(std::uint64_t hash) const {
  for (const std::size_t bucket : buckets_of(hash))
    for (const __u64& place : memory_.index[bucket].entries) {
      const __u64 entry = load(place);
      if (entry == 0 || entry >> 32 != hash >> 32) continue;
      const auto* slot =
          reinterpret_cast<const char*>(&memory_.slots[static_cast<std::uint32_t>(entry) - 1]);
      for (std::size_t at = 0; at < kUsualOctets; at += kLineOctets) __builtin_prefetch(slot + at);
      return;
    }
}

bool AnswerSlots::find(const FoldedName& name, std::uint64_t hash, Found& found) const {
  for (const std::size_t bucket : buckets_of(hash)) {
    for (const __u64& place : memory_.index[bucket].entries) {
      const __u64 entry = load(place);
      if (entry == 0 || entry >> 32 != hash >> 32) continue;
      Read what = Read::again;  // the writer needs some ten nanoseconds for a slot
      while (what == Read::again) what = read(static_cast<std::uint32_t>(entry) - 1, name, found);
      if (what == Read::same) return true;
    }
  }
  return false;
}

AnswerSlots::Read AnswerSlots::read(std::uint32_t slot, const FoldedName& name,
                                    Found& found) const {
  const Word* words = words_of(std::as_const(memory_.slots[slot]));
  const std::array<__u64, kHeadWords> first{load(words[0]), load(words[1])};
  const auto changed = [&] { return sequence_of(load(words[0])) != sequence_of(first[0]); };
  if (sequence_of(first[0]) & 1) return Read::again;
  vd_dns_slot copy;
  std::memcpy(&copy, first.data(), sizeof first);
  const std::size_t octets = std::min<std::size_t>(copy.data_octets, VD_DNS_SLOT_DATA);
  for (std::size_t i = 0; i < octets; i += 8) found.data_[i / 8] = load(words[kHeadWords + i / 8]);
  if (changed()) return Read::again;
  const std::span<const std::uint8_t> wire = name.wire();
  const bool beside = copy.flags & VD_DNS_ELSEWHERE;
  const std::size_t held = std::min(wire.size(), beside ? kBlockAt : VD_DNS_SLOT_DATA);
  if (copy.name_octets != wire.size() || std::memcmp(found.data_.data(), wire.data(), held) != 0)
    return Read::other;
  found.sets_at_ = padded(wire.size());
  found.count_ = copy.sets;
  found.block_.clear();
  if (!beside) return Read::same;
  std::memcpy(copy.data, found.data_.data(), sizeof copy.data);
  const Block block = block_of(copy);
  found.block_.resize(block.octets / 8);
  for (std::size_t i = 0; i < found.block_.size(); ++i)
    found.block_[i] = load(reinterpret_cast<const Word&>(block.words[i]));
  if (changed()) return Read::again;
  return std::memcmp(found.block_.data(), wire.data(), wire.size()) == 0 ? Read::same : Read::other;
}

AnswerSlots::Block AnswerSlots::block_of(const vd_dns_slot& slot) {
  Block block;
  if (!(slot.flags & VD_DNS_ELSEWHERE)) return block;
  std::memcpy(&block.words, slot.data + kBlockAt, sizeof block.words);
  std::memcpy(&block.octets, slot.data + kBlockAt + 8, sizeof block.octets);
  return block;
}

AnswerSlots::Block AnswerSlots::make_block(const Name& name, const RecordSets& sets) {
  std::vector<std::uint64_t> content((padded(name.size()) + sets.octets.size()) / 8);
  auto* octets = reinterpret_cast<std::uint8_t*>(content.data());
  std::memcpy(octets, name.wire().data(), name.size());
  if (!sets.octets.empty())
    std::memcpy(octets + padded(name.size()), sets.octets.data(), sets.octets.size());
  const std::size_t room = std::bit_ceil(std::max(content.size(), kSmallestBlock));
  auto& free = free_blocks_[room];
  if (free.empty()) {
    blocks_.push_back(std::make_unique<std::uint64_t[]>(room));
    free.push_back(blocks_.back().get());
  }
  const Block block{free.back(), 8 * content.size()};
  free.pop_back();
  for (std::size_t i = 0; i < content.size(); ++i)
    store(reinterpret_cast<Word&>(block.words[i]), content[i]);
  return block;
}

void AnswerSlots::give_block(const Block& block) {
  if (!block.words) return;
  free_blocks_[std::bit_ceil(std::max<std::size_t>(block.octets / 8, kSmallestBlock))].push_back(
      block.words);
}

__u64* AnswerSlots::entry_of(const FoldedName& name) const {
  const std::uint64_t hash = name.hash(seed_);
  Found found;
  for (const std::size_t bucket : buckets_of(hash))
    for (auto& entry : memory_.index[bucket].entries)
      if (entry != 0 && entry >> 32 == hash >> 32 &&
          read(static_cast<std::uint32_t>(entry) - 1, name, found) == Read::same)
        return &entry;
  return nullptr;
}

/// A free entry in the emptier of the two buckets.
__u64* AnswerSlots::free_entry(std::uint64_t hash) {
  std::array<__u64*, 2> places{};
  std::array<int, 2> room{};
  const auto buckets = buckets_of(hash);
  for (std::size_t i = 0; i < 2; ++i)
    for (auto& entry : memory_.index[buckets[i]].entries)
      if (entry == 0) {
        places[i] = &entry;
        ++room[i];
      }
  return room[0] >= room[1] ? places[0] : places[1];
}

std::uint32_t AnswerSlots::take_slot() {
  if (free_.empty()) return next_++;
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  return slot;
}

/// Replaces a slot's contents but for its sequence number.
void AnswerSlots::write(std::uint32_t slot, const vd_dns_slot& wanted) {
  const std::size_t count =
      kHeadWords + padded(std::min<std::size_t>(wanted.data_octets, VD_DNS_SLOT_DATA)) / 8;
  write_words(words_of(memory_.slots[slot]), words_of(wanted), count);
}

AnswerSlots::Put AnswerSlots::put(const Name& name, std::uint8_t zone, RecordSets sets) {
  const FoldedName folded(name.wire());
  __u64* entry = entry_of(folded);
  __u64* place = entry;
  if (!entry) {
    if (free_.empty() && next_ == capacity()) return Put::full;
    place = free_entry(folded.hash(seed_));
    if (!place) return Put::full;
  }
  const std::uint32_t slot = entry ? static_cast<std::uint32_t>(*entry) - 1 : take_slot();
  const Block before = block_of(memory_.slots[slot]);
  vd_dns_slot wanted{};
  wanted.below = entry ? memory_.slots[slot].below : 0;
  wanted.name_octets = static_cast<std::uint8_t>(name.size());
  wanted.zone = zone;
  wanted.sets = sets.count;
  const std::size_t sets_at = padded(name.size());
  const bool fits =
      sets_at + sets.octets.size() <= VD_DNS_SLOT_DATA && sets.count <= VD_DNS_SLOT_SETS &&
      !find_set(sets.octets.data(), sets.count, static_cast<std::uint16_t>(Type::cname));
  std::memcpy(wanted.data, name.wire().data(),
              std::min(name.size(), fits ? name.size() : kBlockAt));
  if (fits) {
    if (!sets.octets.empty())
      std::memcpy(wanted.data + sets_at, sets.octets.data(), sets.octets.size());
    wanted.data_octets = static_cast<std::uint16_t>(sets_at + sets.octets.size());
  } else {
    const Block block = make_block(name, sets);
    wanted.flags = VD_DNS_ELSEWHERE;
    wanted.data_octets = VD_DNS_SLOT_DATA;
    std::memcpy(wanted.data + kBlockAt, &block.words, sizeof block.words);
    std::memcpy(wanted.data + kBlockAt + 8, &block.octets, sizeof block.octets);
  }
  write(slot, wanted);
  give_block(before);
  if (!entry) {
    store(*place, entry_for(folded.hash(seed_), slot));
    ++size_;
  }
  return Put::done;
}

void AnswerSlots::erase(const Name& name) {
  __u64* entry = entry_of(FoldedName(name.wire()));
  if (!entry) return;
  const std::uint32_t slot = static_cast<std::uint32_t>(*entry) - 1;
  const Block before = block_of(memory_.slots[slot]);
  store(*entry, 0);
  write(slot, vd_dns_slot{});
  give_block(before);
  free_.push_back(slot);
  --size_;
}

std::optional<std::uint32_t> AnswerSlots::slot_of(const Name& name) const {
  const __u64* entry = entry_of(FoldedName(name.wire()));
  if (!entry) return std::nullopt;
  return static_cast<std::uint32_t>(*entry) - 1;
}

std::optional<std::uint32_t> AnswerSlots::below(const Name& name) const {
  const auto slot = slot_of(name);
  if (!slot) return std::nullopt;
  return memory_.slots[*slot].below;
}

void AnswerSlots::set_below(const Name& name, std::uint32_t below) {
  vd_dns_slot& slot = memory_.slots[*slot_of(name)];
  store(*words_of(slot), static_cast<__u64>(below) << 32 | slot.seq);
}

}  // namespace viaduct::dns
