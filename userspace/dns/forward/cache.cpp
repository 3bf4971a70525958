#include "dns/forward/cache.h"

#include <utility>

namespace viaduct::dns::forward {
namespace {

using base::Time;

// List node, map node, the vectors' own heap blocks: what malloc takes for one entry beside octets.
constexpr std::size_t kEntryOctets = 320;

std::uint32_t seconds_between(Time from, Time to) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(to - from).count());
}

}  // namespace

std::size_t Cache::cost(const Entry& entry) {
  return kEntryOctets + entry.key.capacity() + entry.answer.message.capacity() +
         2 * entry.answer.ttl_offsets.capacity();
}

Cache::Found Cache::find(const std::string& key, Time now) {
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return {};
  Entry& entry = *known->second;
  Found found;
  found.failed = now < entry.failed_until;
  found.rcode = entry.rcode;
  const std::uint32_t age = seconds_between(entry.stored_at, now);
  const CachedAnswer& answer = entry.answer;
  const auto limit =
      answer.ttl_s + static_cast<std::uint32_t>(std::chrono::seconds(kStaleLimit).count());
  if (answer.message.empty() || age >= limit) {
    if (!found.failed) erase(known->second);
    return found;
  }
  entry.visited = true;
  found.answer = &answer;
  found.age_s = age;
  found.state = age < answer.ttl_s ? State::fresh : State::stale;
  found.prefetch = found.state == State::fresh && answer.ttl_s >= kPrefetchTtl &&
                   age >= answer.ttl_s - answer.ttl_s / 10;
  return found;
}

void Cache::put(const std::string& key, CachedAnswer answer, Time now) {
  if (const auto known = by_key_.find(key); known != by_key_.end()) erase(known->second);
  if (answer.ttl_s == 0) return;
  Entry entry;
  entry.key = key;
  entry.answer = std::move(answer);
  entry.answer.message.shrink_to_fit();
  entry.answer.ttl_offsets.shrink_to_fit();
  entry.stored_at = now;
  insert(std::move(entry));
}

void Cache::put_failure(const std::string& key, std::uint16_t rcode, Time now) {
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    Entry& entry = *known->second;
    entry.failed_until = now + (entry.answer.message.empty() ? kFailureTtl : kStaleRecheck);
    entry.rcode = rcode;
    return;
  }
  Entry entry;
  entry.key = key;
  entry.stored_at = now;
  entry.failed_until = now + kFailureTtl;
  entry.rcode = rcode;
  insert(std::move(entry));
}

void Cache::insert(Entry entry) {
  const std::size_t octets = cost(entry);
  if (octets > max_octets_) return;
  while (octets_ + octets > max_octets_) evict_one();
  entries_.push_front(std::move(entry));
  by_key_.emplace(entries_.front().key, entries_.begin());
  octets_ += cost(entries_.front());
}

void Cache::erase(Entries::iterator entry) {
  if (hand_ == entry) hand_ = entry == entries_.begin() ? entries_.end() : std::prev(entry);
  octets_ -= cost(*entry);
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

void Cache::evict_one() {
  // Towards the newest; who was asked for since the hand's last visit stays for another round.
  auto at = hand_ == entries_.end() ? std::prev(entries_.end()) : hand_;
  while (at->visited) {
    at->visited = false;
    at = at == entries_.begin() ? std::prev(entries_.end()) : std::prev(at);
  }
  hand_ = at;
  erase(at);
  ++evicted_;
}

}  // namespace viaduct::dns::forward
