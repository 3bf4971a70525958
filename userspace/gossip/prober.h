#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "gossip/action.h"
#include "gossip/membership.h"
#include "gossip/message.h"
#include "gossip/timing.h"

namespace viaduct::gossip {

struct ProberCounters {
  std::uint64_t probes = 0;
  std::uint64_t failed = 0;         ///< neither directly nor by others nor over TCP
  std::uint64_t saved_by_peer = 0;  ///< answered through another node only
  std::uint64_t saved_by_stream = 0;
  std::uint64_t relays_refused = 0;  ///< indirect pings over kMaxRelays
};

/// Asks one member after the other whether it lives: directly, then through others and over TCP at
/// once, and suspects it when the interval ends without an answer. Answers others' questions.
/// Source: SWIM (Das, Gupta, Motivala, DSN 2002); Lifeguard (arXiv:1707.00788).
class Prober {
 public:
  /// Sends a few messages to an endpoint, that of `member` if it is known.
  using Send = std::function<void(const base::Endpoint& to, std::optional<MemberId> member,
                                  std::vector<MessagePtr> messages, Actions& out)>;
  /// Opens a stream that begins with a ping; its end is told by on_stream_end().
  using Dial = std::function<void(const base::Endpoint& to, const Ping& ping, Actions& out)>;

  Prober(Membership& membership, const Timing& timing, Send send, Dial dial, base::Time now);

  void on_ping(const Ping& ping, const base::Endpoint& from, Actions& out);
  void on_indirect_ping(const IndirectPing& ping, const base::Endpoint& from, base::Time now,
                        Actions& out);
  void on_ack(const Ack& ack, base::Time now, Actions& out);
  void on_nack(const Nack& nack);
  /// An answer over TCP.
  void on_stream_ack(const Ack& ack, base::Time now);
  void on_tick(base::Time now, Actions& out);
  base::Time next_tick() const;

  const ProberCounters& counters() const { return counters_; }

 private:
  struct Probe {
    std::string name;
    base::Endpoint endpoint;
    Sequence sequence = 0;
    base::Time indirect_at{};
    base::Time verdict_at{};
    bool indirect_sent = false;
    bool answered = false;
    int nacks_expected = 0;
    int nacks = 0;
  };
  /// A ping on another node's behalf.
  struct Relay {
    base::Endpoint requester;
    Sequence sequence = 0;  ///< the requester's
    bool nack = false;
    base::Time nack_at{};
  };

  Ping make_ping(std::string node);
  bool answers_probe(Sequence sequence, base::Time now);
  void begin(base::Time now, Actions& out);
  void ask_others(Actions& out);
  void conclude(base::Time now, Actions& out);
  void answer_late_relays(base::Time now, Actions& out);
  bool speaks(MemberId id, std::uint8_t protocol) const;

  Membership& membership_;
  const Timing& timing_;
  Send send_;
  Dial dial_;
  Sequence next_sequence_ = 1;
  std::optional<Probe> probe_;
  base::Time next_probe_;
  std::map<Sequence, Relay> relays_;  ///< also in the order of their nack_at
  ProberCounters counters_;
};

}  // namespace viaduct::gossip
