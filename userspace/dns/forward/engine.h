#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/address.h"
#include "dns/forward/answer.h"
#include "dns/forward/cache.h"
#include "dns/forward/query.h"
#include "dns/forward/reply.h"
#include "dns/forward/routes.h"
#include "dns/forward/stats.h"
#include "dns/forward/upstreams.h"

namespace viaduct::dns::forward {

/// How many upstreams a question goes to at first.
enum class Dispatch : std::uint8_t {
  both,    ///< the two best at once: the quickest answer
  hedged,  ///< the best; the second after its hedge delay: less load
};

struct Options {
  std::vector<base::Endpoint> upstreams;
  std::vector<ForwardZone> zones;
  Dispatch dispatch = Dispatch::both;
  std::size_t cache_octets = 8 << 20;

  bool enabled() const { return !upstreams.empty() || !zones.empty(); }
};

/// Questions of clients that wait at a time, in all and of one client address.
inline constexpr std::size_t kMaxWaiting = 4096;
inline constexpr std::size_t kMaxWaitingPerClient = 256;
/// Different questions that are being asked at a time, prefetches included.
inline constexpr std::size_t kMaxLookups = 4096;
/// Queries that one question may cost, and messages that do not answer it before TCP is used.
inline constexpr int kMaxAttempts = 8;
inline constexpr int kMaxBadReplies = 20;
/// Exchanges that stay open behind their question, of one upstream: only to learn whether it
/// answers.
inline constexpr int kMaxLingering = 4;
inline constexpr std::chrono::milliseconds kExchangeLimit{2000};    ///< then the upstream failed
inline constexpr std::chrono::milliseconds kLookupLimit{4000};      ///< then clients get SERVFAIL
inline constexpr std::chrono::milliseconds kDownLookupLimit{1000};  ///< with every upstream down
inline constexpr std::chrono::milliseconds kStaleAfter{1800};       ///< RFC 8767, 5

using Ticket = std::uint64_t;
using ExchangeId = std::uint64_t;

/// Where an answer comes from.
struct Origin {
  enum class From : std::uint8_t { upstream, cache, stale, failure, local } from = From::local;
  std::optional<std::size_t> upstream{};  ///< index into Routes::upstreams()
};

/// Send a message; over UDP from a socket of its own on a random port, connected to the upstream.
struct Send {
  ExchangeId exchange;
  std::size_t upstream;
  Transport transport;
  base::Bytes message;
};
/// No message of this exchange is of interest any more.
struct Close {
  ExchangeId exchange;
};
/// Answer who waits under a ticket.
struct Answer {
  Ticket ticket;
  base::Bytes message;
  Origin origin;
};
/// An upstream leads back to us: it is not asked for kSetAside. Said once until it is asked again.
struct Aside {
  std::size_t upstream;
};
using Action = std::variant<Send, Close, Answer, Aside>;
using Actions = std::vector<Action>;

/// Decides whom to ask and what to believe: events and time go in, actions come out.
///
/// A lookup is one question that is being asked; all clients with the same question wait for it. An
/// exchange is one query to one upstream. The first sound answer ends a lookup; an error code only
/// does when nobody else may still answer.
class Engine {
 public:
  Engine(const Options& options, Random random);

  /// @param message  a query whose verdict is `query`, with `question` parsed from it.
  /// @param ticket  under which an answer comes later.
  /// @param out  at least kMaxTcpOctets.
  /// @return octets of an answer that is ready, and its origin; 0: it comes as an action.
  std::pair<std::size_t, Origin> ask(base::ByteView message, const Question& question,
                                     Transport transport, const base::Address& client,
                                     Ticket ticket, base::Time now, std::span<std::uint8_t> out,
                                     Actions& actions);

  /// A message came. For TCP the shell finds the exchange by the message's id.
  void on_message(ExchangeId exchange, base::ByteView message, base::Time now, Actions& actions);
  /// The exchange cannot succeed: refused, unreachable, no socket, connection lost.
  void on_error(ExchangeId exchange, base::Time now, Actions& actions);
  void on_time(base::Time now, Actions& actions);
  /// When on_time() is due.
  std::optional<base::Time> next_time() const;

  /// Asks every upstream for a name that nobody else can know. If that name is asked for here, its
  /// upstream leads back to us, by whatever way, and is set aside. Due at the start and each
  /// kProbeLoops.
  void probe_loops(base::Time now, Actions& actions);
  /// A message came from the socket of an exchange. If it is that exchange's own query, then its
  /// upstream is ourselves and is set aside.
  /// @return whether it is.
  bool is_own_query(ExchangeId exchange, base::ByteView message, base::Time now, Actions& actions);
  /// Whether a message could be the reply of an exchange.
  bool is_reply_of(ExchangeId exchange, base::ByteView message) const;

  const Routes& routes() const { return routes_; }
  /// All numbers of now.
  Stats stats(base::Time now) const;

 private:
  struct Waiter {
    Ticket ticket;
    base::Address client;
    ClientQuery query;     ///< its question points into `question`
    base::Bytes question;  ///< moves along without changing its place
    base::Time since;
  };
  struct Lookup {
    std::string key;
    ClientQuery query;     ///< of the first client
    base::Bytes question;  ///< that query.question points into
    std::size_t route = 0;
    std::vector<std::size_t> order;  ///< upstreams, the best first
    std::vector<bool> spent;         ///< by position in order: gave an error, not asked again
    std::size_t next = 0;            ///< position in order of who is asked next
    int attempts = 0;
    int bad_replies = 0;
    std::vector<Waiter> waiters;
    std::vector<ExchangeId> exchanges;
    base::Time started, resend_at, limit_at;
    base::Duration resend_after{};
    std::optional<base::Time> stale_at;  ///< clients get the old answer then
    std::optional<std::uint16_t> error;  ///< code of the first upstream that gave one
    base::Time wake_at{};                ///< as it stands in timers_
  };
  struct Exchange {
    std::uint64_t lookup = 0;  ///< 0: it only lingers
    std::size_t upstream = 0;
    std::size_t position = 0;  ///< of the upstream in the lookup's order
    Transport transport = Transport::udp;
    Manner manner;
    base::Bytes message;
    base::Time sent, limit_at;
    bool late = false;
  };
  using LookupMap = std::unordered_map<std::uint64_t, Lookup>;
  using ExchangeMap = std::unordered_map<ExchangeId, Exchange>;

  // Clients (engine.cpp).
  bool may_wait(const base::Address& client) const;
  void wait(Lookup& lookup, const ClientQuery& query, const base::Address& client, Ticket ticket,
            base::Time now);
  Lookup* open(const std::string& key, const ClientQuery& query, std::size_t route, base::Time now);
  void prefetch(const std::string& key, const ClientQuery& query, std::size_t route, base::Time now,
                Actions& actions);
  void dismiss(Lookup& lookup, base::Time now);
  void answer_all(Lookup& lookup, const CachedAnswer& answer, const Age& age, const Origin& origin,
                  base::Time now, Actions& actions);
  void fail_all(Lookup& lookup, std::uint16_t rcode, base::Time now, Actions& actions);
  bool answer_stale(Lookup& lookup, base::Time now, Actions& actions);

  // Lookups (lookups.cpp).
  void start(std::uint64_t id, base::Time now, Actions& actions);
  void wake(std::uint64_t id, base::Time now, Actions& actions);
  bool send_next(std::uint64_t id, Lookup& lookup, base::Time now, Actions& actions);
  void finish(std::uint64_t id, const base::ByteView& message, const Reply& reply,
              std::size_t upstream, base::Time now, Actions& actions);
  void fail(std::uint64_t id, base::Time now, Actions& actions);
  void go_on(std::uint64_t id, base::Time now, Actions& actions);
  void erase(std::uint64_t id, base::Time now, Actions& actions);
  void schedule(std::uint64_t id, Lookup& lookup);

  // Loops (loops.cpp).
  bool is_probe(const ClientQuery& query, base::Time now, Actions& actions);
  void set_aside(std::size_t upstream, base::Time now, Actions& actions);

  // Exchanges (exchanges.cpp).
  ExchangeId open_exchange(std::uint64_t lookup, std::size_t upstream, const ClientQuery& query,
                           Transport transport, base::Time now, Actions& actions);
  void send(std::uint64_t lookup_id, Lookup& lookup, std::size_t position, Transport transport,
            base::Time now, Actions& actions);
  void close(ExchangeMap::iterator exchange, Actions& actions);
  void linger_or_close(ExchangeId id, Actions& actions);
  void take_reply(ExchangeMap::iterator exchange, const Reply& reply, base::ByteView message,
                  base::Time now, Actions& actions);
  void take_error_code(ExchangeMap::iterator exchange, const Reply& reply, base::Time now,
                       Actions& actions);
  void take_bad_reply(ExchangeMap::iterator exchange, base::Time now, Actions& actions);
  /// Asks the same upstream again, in another way.
  void send_again(ExchangeMap::iterator exchange, Transport transport, base::Time now,
                  Actions& actions);
  void note_late(ExchangeId exchange, base::Time now);
  void give_up(ExchangeMap::iterator exchange, base::Time now, Actions& actions);

  const Options options_;
  const Random random_;
  Routes routes_;
  Upstreams upstreams_;
  Cache cache_;
  Counts counts_;
  std::vector<RouteCounts> route_counts_;
  std::vector<UpstreamCounts> upstream_counts_;
  std::vector<int> lingering_;  ///< exchanges, by upstream
  LookupMap lookups_;
  std::unordered_map<std::string, std::uint64_t> by_key_;
  ExchangeMap exchanges_;
  std::unordered_map<base::Address, std::size_t> waiting_;  ///< of each client that has any
  std::size_t waiting_in_all_ = 0;
  std::set<std::pair<base::Time, std::uint64_t>> lookup_timers_;
  std::set<std::pair<base::Time, ExchangeId>> exchange_timers_;
  std::uint64_t last_id_ = 0;  ///< of lookups and exchanges; never used twice
  std::string key_;            ///< room for ask()
  std::unordered_map<std::string, std::size_t> probes_;  ///< folded name -> upstream
};

}  // namespace viaduct::dns::forward
