#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "gossip/broadcast_queue.h"
#include "gossip/message.h"
#include "gossip/store.h"

namespace viaduct::gossip {

struct TableCounters {
  std::uint64_t malformed = 0;  ///< user messages of our kind that cannot be read
  std::uint64_t foreign = 0;    ///< user messages of others, Serf's for instance
  std::uint64_t repeated = 0;   ///< deltas that are just being sent from here
  std::uint64_t syncs = 0;      ///< begun here and come to their end
  std::uint64_t syncs_failed = 0;
  std::uint64_t pulls = 0;  ///< streams that ask for rows after a gap
};

/// How the VIP table travels: changes as deltas that go along with other gossip, gaps by asking
/// whoever told of them, the rest by comparing digests. Decides what to say; the engine says when
/// and to whom.
class TableGossip {
 public:
  /// @param name  of this node.
  /// @param epoch  of our first version: one more than what is remembered from earlier lives.
  TableGossip(std::string name, std::uint64_t epoch) : store_(std::move(name), epoch) {}

  Store& store() { return store_; }
  const Store& store() const { return store_; }
  const TableCounters& counters() const { return counters_; }
  TableCounters& counters() { return counters_; }

  /// Changes our rows; others hear of it with what else changes shortly after.
  /// @errors as Store::publish().
  base::Result<TableVersion> publish(std::vector<RowChange> changes, base::Time now);

  /// A user message of a datagram.
  void on_user(const User& message, const base::Endpoint& from, base::Time now);

  /// The first turn of a sync.
  base::Bytes begin_sync() const;
  /// What to answer to a turn of a peer; nothing ends the sync.
  /// @return absent: the batch cannot be read, or ends the sync.
  std::optional<std::vector<base::Bytes>> on_turn(base::ByteView batch, base::Time now);

  /// Moves our own changes into the queue once it is time, and forgets what is to be forgotten.
  void on_tick(base::Time now, std::size_t budget);
  base::Time next_tick() const;

  /// Owners to be asked for, by who told of them; the unspecified endpoint: anybody.
  using Pulls = std::map<base::Endpoint, std::vector<OwnerId>>;
  /// What is due now, and is not asked for again.
  Pulls take_pulls(base::Time now);
  /// The first turn of a stream that asks for owners.
  base::Bytes ask(const std::vector<OwnerId>& owners, base::Time now);

  BroadcastQueue& queue() { return queue_; }
  const BroadcastQueue& queue() const { return queue_; }
  /// To be called after messages were taken from the queue.
  void after_take();

 private:
  void flush();
  void enqueue(Delta delta);
  void want(OwnerId owner, const base::Endpoint& from, base::Time now);

  Store store_;
  BroadcastQueue queue_;
  std::size_t budget_ = 1200;  ///< octets for one delta
  bool own_queued_ = false;
  std::optional<base::Time> flush_at_;
  std::optional<base::Time> pull_at_;
  base::Time forget_at_{};
  std::map<base::Endpoint, std::set<OwnerId>> pulls_;
  TableCounters counters_;
};

}  // namespace viaduct::gossip
