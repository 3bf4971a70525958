#include "gossip/broadcast_queue.h"

#include <limits>
#include <utility>

namespace viaduct::gossip {
namespace {

/// No message is shorter: what is left of a packet then is not worth a look.
constexpr std::size_t kSmallestMessage = 16;
constexpr std::uint64_t kNewest = std::numeric_limits<std::uint64_t>::max();

}  // namespace

void BroadcastQueue::put(std::uint64_t subject, MessagePtr message, std::size_t bytes) {
  remove(subject);
  const auto [entry, added] =
      entries_.emplace(Rank{0, bytes, next_number_++}, Entry{subject, std::move(message)});
  by_subject_.emplace(subject, entry);
  octets_ += bytes;
}

MessagePtr BroadcastQueue::find(std::uint64_t subject) const {
  const auto found = by_subject_.find(subject);
  return found == by_subject_.end() ? nullptr : found->second->second.message;
}

void BroadcastQueue::remove(std::uint64_t subject) {
  const auto found = by_subject_.find(subject);
  if (found == by_subject_.end()) return;
  octets_ -= found->second->first.bytes;
  entries_.erase(found->second);
  by_subject_.erase(found);
}

bool BroadcastQueue::has_fresh() const {
  return !entries_.empty() && entries_.begin()->first.sent == 0;
}

void BroadcastQueue::take(std::size_t& budget, std::size_t overhead, int limit,
                          std::vector<MessagePtr>& messages) {
  std::vector<Entries::node_type> sent;
  for (auto entry = entries_.begin();
       entry != entries_.end() && budget >= overhead + kSmallestMessage;) {
    if (entry->first.bytes + overhead > budget) {  // on to the first that is small enough
      entry = entries_.lower_bound({entry->first.sent, budget - overhead, kNewest});
      continue;
    }
    budget -= entry->first.bytes + overhead;
    messages.push_back(entry->second.message);
    sent.push_back(entries_.extract(entry++));
  }
  for (auto& node : sent) {
    if (++node.key().sent >= limit) {
      by_subject_.erase(node.mapped().subject);
      octets_ -= node.key().bytes;
    } else {
      const std::uint64_t subject = node.mapped().subject;
      by_subject_[subject] = entries_.insert(std::move(node)).position;
    }
  }
}

}  // namespace viaduct::gossip
