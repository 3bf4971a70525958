#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "gossip/action.h"
#include "gossip/broadcast_queue.h"
#include "gossip/membership.h"
#include "gossip/message.h"
#include "gossip/prober.h"
#include "gossip/serf_intent.h"
#include "gossip/table_gossip.h"
#include "gossip/timing.h"

namespace viaduct::gossip {

struct EngineOptions {
  Timing timing;
  /// Bytes of messages that fit into a datagram, each with kPartOverhead.
  std::size_t packet_bytes = 1300;
  /// Dialled until they are members: from the configuration, or known from before a restart.
  std::vector<base::Endpoint> seeds;
  std::uint64_t random_seed = 0;
  std::uint64_t epoch = 1;  ///< of our first rows: one more than in earlier lives
};

/// What a message costs in a compound beside its own bytes.
inline constexpr std::size_t kPartOverhead = 2;

struct EngineCounters {
  std::uint64_t push_pulls = 0;  ///< exchanges that this node began and that came to their end
  std::uint64_t push_pulls_failed = 0;
  std::uint64_t unexpected = 0;  ///< answers that nobody waits for
};

/// One node's side of the protocol. Messages and time go in, actions come out; who holds it
/// performs them and calls on_tick() at next_tick().
class Engine {
 public:
  Engine(NodeInfoPtr self, EngineOptions options, base::Time now);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void on_packet(std::span<const MessagePtr> messages, const base::Endpoint& from, base::Time now,
                 Actions& out);

  /// Something on a stream that a peer opened.
  /// @return the answer; absent: none, the stream may be closed.
  std::optional<StreamMessage> on_request(const StreamMessage& message, const base::Endpoint& from,
                                          base::Time now, Actions& out);
  /// Something on a stream of our own.
  /// @return what to say next; absent: nothing, close it.
  std::optional<StreamMessage> on_answer(StreamId id, const StreamMessage& message, base::Time now,
                                         Actions& out);
  /// A stream of our own is closed, by whomever.
  void on_stream_end(StreamId id, base::Time now, Actions& out);

  void on_tick(base::Time now, Actions& out);
  base::Time next_tick() const;

  /// Changes this node's rows in the VIP table.
  /// @errors as Store::publish().
  base::Result<TableVersion> publish(std::vector<RowChange> changes, base::Time now) {
    return table_.publish(std::move(changes), now);
  }

  /// Tells the others that this node goes. It takes some gossip intervals until all know:
  /// see has_news(). Serf nodes hear of the intent first: to them it would have failed otherwise.
  void leave(base::Time now);
  /// Whether something was not yet sent as often as it is to be.
  bool has_news() const { return !news_.empty() || !table_.queue().empty() || !intents_.empty(); }
  /// @return whether there is, or was, a member of this name.
  bool force_remove(std::string_view name, base::Time now, Actions& out);
  void update_self(NodeInfoPtr self) { membership_.update_self(std::move(self)); }

  const Membership& membership() const { return membership_; }
  const Prober& prober() const { return prober_; }
  const TableGossip& table() const { return table_; }
  /// For what restores rows and takes changes; rows are published through the engine.
  Store& store() { return table_.store(); }
  const BroadcastQueue& news() const { return news_; }
  const EngineCounters& counters() const { return counters_; }

 private:
  enum class Purpose : std::uint8_t { ping, push_pull, table };
  struct Stream {
    Purpose purpose;
    bool answered = false;
  };

  void on_message(const MessagePtr& message, const base::Endpoint& from, base::Time now,
                  Actions& out);
  void send(const base::Endpoint& to, std::optional<MemberId> member,
            std::vector<MessagePtr> messages, Actions& out);
  void add_news(std::size_t budget, bool to_viaduct, std::vector<MessagePtr>& messages);
  void open(const base::Endpoint& to, Purpose purpose, StreamMessage first, Actions& out);
  void push_pull(const base::Endpoint& to, bool join, Actions& out);
  void push_pull_with_any(base::Time now, Actions& out);
  void sync_table(base::Time now, Actions& out);
  void pull_rows(base::Time now, Actions& out);
  std::optional<base::Endpoint> any_viaduct();
  std::optional<StreamMessage> take_turn(Stream& stream, const User& turn, base::Time now);
  void note_members(const Actions& out, std::size_t from, base::Time now);
  void gossip(base::Time now, Actions& out);
  void gossip_soon(base::Time now);
  void heal(base::Time now, Actions& out);
  void find_strangers();
  bool intend_to_end(std::string_view name, base::Time now);
  void relay_intent(const MessagePtr& message, const User& user, base::Time now);
  void send_intents(base::Time now, Actions& out);
  void merge(const PushPull& remote, base::Time now, Actions& out);
  void count_upheaval(std::size_t changes, base::Time now);
  void settle_anew(base::Time now);
  base::Duration about(base::Duration duration);

  EngineOptions options_;
  base::Rng rng_;
  BroadcastQueue news_;
  Membership membership_;
  Prober prober_;
  TableGossip table_;
  std::map<StreamId, Stream> streams_;
  StreamId next_stream_ = 1;
  /// Where nodes may be that are no live members: seeds, the dead, those who are gone.
  std::vector<base::Endpoint> strangers_;
  std::uint64_t strangers_revision_ = ~std::uint64_t{0};  ///< of the members that they are of
  base::Time next_gossip_;
  base::Time last_gossip_{};
  base::Time next_push_pull_;
  base::Time next_heal_;
  base::Time next_digest_;
  /// Until the next push-pull after a join: grows up to the usual interval. Zero: not joined yet.
  base::Duration settling_{};
  std::size_t upheaval_ = 0;  ///< changes of members since the last push-pull
  SerfClock serf_clock_;
  /// What Serf nodes are told of joins and leaves, their own among them.
  struct Intent {
    MessagePtr message;
    int repeats = 0;
  };
  std::map<std::string, Intent, std::less<>> intents_;  ///< by who leaves
  base::Time next_intents_{};
  std::map<std::string, SerfTime, std::less<>> heard_intents_;  ///< the newest of each node
  EngineCounters counters_;
};

}  // namespace viaduct::gossip
