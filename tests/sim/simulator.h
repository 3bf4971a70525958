#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "gossip/engine.h"
#include "gossip/keyring.h"
#include "gossip/wire.h"

namespace viaduct::sim {

/// What the network does to packets. Streams suffer loss as delay, as TCP does.
struct Network {
  base::Duration min_delay = std::chrono::microseconds(200);
  base::Duration max_delay = std::chrono::milliseconds(2);
  double loss = 0;
  double duplication = 0;
  /// Share of packets that take up to ten times as long, and so overtake each other.
  double reordering = 0.01;
};

struct Options {
  std::size_t nodes = 3;
  std::uint64_t seed = 1;
  Network network;
  gossip::Timing timing;
  std::size_t seeds = 3;    ///< each node dials the first so many nodes
  bool count_bytes = true;  ///< what packets and streams would be on the wire, without headers
  /// Whatever is sent becomes bytes, and is read from these.
  struct Bytes {
    gossip::WireOptions wire;
    gossip::Keyring keyring;
    double damage = 0;  ///< share of packets with a byte that is not as it was sent
  };
  std::shared_ptr<const Bytes> bytes;  ///< null: messages are handed over as they are
};

/// Bytes of messages, before encryption and compression.
struct Traffic {
  std::uint64_t packets = 0;
  std::uint64_t packet_bytes = 0;
  std::uint64_t streams = 0;
  std::uint64_t stream_bytes = 0;
  std::uint64_t damaged = 0;  ///< packets that were, and were found to be
  std::uint64_t dropped = 0;  ///< packets, or parts of some, that could not be read
};

/// A node that is no Viaduct: a Serf agent without anything of ours.
enum class Kind : std::uint8_t { viaduct, foreign };

/// Many engines in one thread over a network that only exists in here. The same seed gives the
/// same run, event by event.
class Simulator {
 public:
  using NodeId = std::uint32_t;
  /// Sees whatever a node thinks of another.
  using Watch = std::function<void(NodeId node, const gossip::MemberChanged& change)>;

  explicit Simulator(Options options);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  base::Time now() const { return now_; }
  base::Rng& rng() { return rng_; }
  std::size_t size() const { return nodes_.size(); }
  Network& network() { return options_.network; }
  const Options& options() const { return options_; }

  void start(NodeId node);
  void start_all();
  /// All at once, each knowing all others already.
  void start_joined();
  /// The process ends; its host goes on and refuses.
  void kill(NodeId node);
  /// The host is off: nobody answers.
  void cut(NodeId node);
  /// A fresh process with the same name and address, on a host that is on.
  void restart(NodeId node);
  /// What a node says about itself from its next start on.
  const gossip::NodeInfoPtr& info(NodeId node) const { return nodes_[node].info; }
  void set_info(NodeId node, gossip::NodeInfo info);
  void set_kind(NodeId node, Kind kind);
  /// The node's next process is at another address.
  void move(NodeId node);
  void leave(NodeId node);
  /// A process that gets no CPU: what comes waits, and time goes by.
  void pause(NodeId node);
  void resume(NodeId node);
  /// Packets from one to the other vanish; the other way stays.
  void block(NodeId from, NodeId to);
  void unblock_all();
  /// Nodes hear only those of their own side.
  void partition(std::function<int(NodeId)> side);
  /// Only what passes arrives.
  void filter(std::function<bool(NodeId from, NodeId to)> passes);
  void heal();
  /// A datagram from one who does not follow the rules.
  void inject(NodeId to, std::vector<gossip::MessagePtr> messages, const base::Endpoint& from);

  void run_for(base::Duration duration);
  /// @return whether `done()` came true, asked every `step`, before `limit` went by.
  bool run_until(base::Duration limit, base::Duration step, const std::function<bool()>& done);
  /// Does something at a time from now.
  void after(base::Duration delay, std::function<void()> action);

  bool up(NodeId node) const { return nodes_[node].engine != nullptr; }
  bool paused(NodeId node) const { return nodes_[node].paused; }
  /// Tells a node's processes apart.
  std::uint32_t generation(NodeId node) const { return nodes_[node].generation; }
  std::vector<NodeId> running() const;
  gossip::Engine& engine(NodeId node) { return *nodes_[node].engine; }
  const gossip::Engine& engine(NodeId node) const { return *nodes_[node].engine; }
  /// What `node` holds `other` for; absent: no member.
  std::optional<gossip::NodeState> view(NodeId node, NodeId other) const;
  const std::string& name(NodeId node) const { return nodes_[node].info->name; }
  /// Performs what an engine wants after it was called from outside.
  void perform(NodeId node, gossip::Actions& actions);

  /// Whether each running node holds all running ones for alive and no other one for live.
  bool agreed() const;
  /// Whether all running nodes' tables are of the same versions.
  bool tables_equal() const;

  /// Fails the run: prints what went wrong, where, and the seed.
  [[noreturn]] void fail(NodeId node, const std::string& what) const;

  void watch(Watch watch) { watch_ = std::move(watch); }
  const Traffic& traffic() const { return traffic_; }
  void reset_traffic() { traffic_ = {}; }
  std::uint64_t events() const { return events_; }

 private:
  struct Node {
    gossip::NodeInfoPtr info;
    Kind kind = Kind::viaduct;
    std::unique_ptr<gossip::Engine> engine;  ///< null: not running
    bool on = true;                          ///< its host
    bool paused = false;
    base::Time tick_at = base::Time::max();
    std::uint32_t generation = 0;  ///< of the process
    gossip::Incarnation incarnation = 0;
    int idle_ticks = 0;  ///< one after the other, that were due again at once
    /// By member and by owner, as of the last look at a small cluster.
    std::unordered_map<std::string, gossip::Incarnation> incarnations;
    std::unordered_map<gossip::OwnerId, gossip::TableVersion> versions;
  };
  struct Event;
  struct Pipe;
  struct Due {
    base::Time at;
    std::uint64_t number;
    std::uint32_t slot;
    bool operator<(const Due& other) const {  // the queue's top is the earliest
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  bool reachable(NodeId from, NodeId to) const;
  base::Duration delay();
  /// Of a stream's segment: a loss costs a retransmission time-out.
  base::Duration stream_delay(base::Duration timeout);
  std::optional<NodeId> find(const base::Endpoint& endpoint) const;
  void schedule(base::Time at, Event event);
  void step(Event& event);
  void deliver(Event& event);
  void on_packet(Event& event);
  void on_stream(Event& event);
  void on_request(Event& event);
  void on_answer(Event& event);
  bool read(Event& event);
  void end_stream(NodeId node, gossip::StreamId id, base::Duration delay);
  void send_packet(NodeId from, gossip::SendPacket& packet);
  void send_datagrams(NodeId from, NodeId to, const gossip::SendPacket& packet);
  void send_copies(const Event& event);
  void open_stream(NodeId from, gossip::OpenStream& stream);
  /// Puts what is said on a stream on its way.
  void say(Event event, gossip::StreamMessage message, base::Duration delay);
  void settle(NodeId node);
  void check(NodeId node);
  void check_order(NodeId node);
  gossip::Nonce nonce();

  Options options_;
  base::Rng rng_;
  base::Time now_{};
  std::vector<Node> nodes_;
  std::vector<NodeId> by_address_;  ///< from 10.0.0.1 on
  std::priority_queue<Due> due_;
  std::vector<Event> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t next_number_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t nonces_ = 0;
  std::set<std::pair<NodeId, NodeId>> blocked_;
  std::function<bool(NodeId, NodeId)> passes_;
  Watch watch_;
  Traffic traffic_;
  gossip::Actions actions_;
};

}  // namespace viaduct::sim
