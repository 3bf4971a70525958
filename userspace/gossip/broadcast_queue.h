#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "gossip/message.h"

namespace viaduct::gossip {

/// News that is sent to random members until it was sent often enough. One entry a subject: newer
/// news about it takes its place.
class BroadcastQueue {
 public:
  /// @param subject  what it is about: a hash of a node's name.
  /// @param bytes  the encoded size.
  void put(std::uint64_t subject, MessagePtr message, std::size_t bytes);
  /// Null: nothing is queued about it.
  MessagePtr find(std::uint64_t subject) const;
  void remove(std::uint64_t subject);

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  /// Encoded sizes of all messages together.
  std::size_t octets() const { return octets_; }
  /// Whether something in it was never sent.
  bool has_fresh() const;

  /// Adds to a packet what was sent least often; of those the largest that fits, then the newest.
  /// @param budget  bytes left in the packet; lowered by each message and its `overhead`.
  /// @param limit  what was sent so often leaves the queue.
  void take(std::size_t& budget, std::size_t overhead, int limit,
            std::vector<MessagePtr>& messages);

 private:
  struct Rank {
    int sent = 0;
    std::size_t bytes = 0;
    std::uint64_t number = 0;  ///< grows

    bool operator<(const Rank& other) const {
      return std::tie(sent, other.bytes, other.number) < std::tie(other.sent, bytes, number);
    }
  };
  struct Entry {
    std::uint64_t subject = 0;
    MessagePtr message;
  };
  using Entries = std::map<Rank, Entry>;

  Entries entries_;
  std::unordered_map<std::uint64_t, Entries::iterator> by_subject_;
  std::uint64_t next_number_ = 0;
  std::size_t octets_ = 0;
};

}  // namespace viaduct::gossip
