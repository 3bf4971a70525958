// How a lookup goes on: whom it asks next, when, and what ends it.

#include <algorithm>

#include "dns/forward/engine.h"

namespace viaduct::dns::forward {

using base::Duration;
using base::Time;

void Engine::start(std::uint64_t id, Time now, Actions& actions) {
  Lookup& lookup = lookups_.at(id);
  const Route& route = routes_.all()[lookup.route];
  lookup.order = upstreams_.order(route.upstreams, now);
  lookup.spent.resize(lookup.order.size());
  if (lookup.order.empty()) return fail(id, now, actions);
  const std::size_t first =
      std::min<std::size_t>(lookup.order.size(), options_.dispatch == Dispatch::both ? 2 : 1);
  const bool down =
      std::all_of(lookup.order.begin(), lookup.order.end(),
                  [&](std::size_t upstream) { return upstreams_.is_down(upstream, now); });
  lookup.limit_at = now + (down ? kDownLookupLimit : kLookupLimit);
  for (std::size_t i = 0; i < first; ++i) {
    send(id, lookup, i, Transport::udp, now, actions);
    lookup.resend_after = std::max(lookup.resend_after, upstreams_.patience(lookup.order[i]));
  }
  lookup.next = first;
  for (std::size_t i = first; i < lookup.order.size(); ++i) {
    if (!upstreams_.probe_due(lookup.order[i], now)) continue;
    send(id, lookup, i, Transport::udp, now, actions);
    break;
  }
  lookup.resend_at =
      now + (first == 1 && lookup.order.size() > 1 ? upstreams_.hedge_delay(lookup.order[0])
                                                   : lookup.resend_after);
  schedule(id, lookup);
}

void Engine::schedule(std::uint64_t id, Lookup& lookup) {
  Time at = std::min(lookup.limit_at, lookup.resend_at);
  if (lookup.stale_at) at = std::min(at, *lookup.stale_at);
  if (at == lookup.wake_at) return;
  lookup_timers_.erase({lookup.wake_at, id});
  lookup_timers_.insert({at, id});
  lookup.wake_at = at;
}

void Engine::wake(std::uint64_t id, Time now, Actions& actions) {
  Lookup& lookup = lookups_.at(id);
  if (now >= lookup.limit_at) return fail(id, now, actions);
  if (lookup.stale_at && now >= *lookup.stale_at) {
    answer_stale(lookup, now, actions);
    lookup.stale_at.reset();
  }
  if (now >= lookup.resend_at) {
    for (const ExchangeId exchange : lookup.exchanges) note_late(exchange, now);
    if (send_next(id, lookup, now, actions)) {
      lookup.resend_at = now + lookup.resend_after;
      lookup.resend_after *= 2;
    } else {
      lookup.resend_at = Time::max();
    }
  }
  schedule(id, lookup);
}

/// Asks the next upstream in turn that may still answer, those that were asked before included.
bool Engine::send_next(std::uint64_t id, Lookup& lookup, Time now, Actions& actions) {
  if (lookup.attempts >= kMaxAttempts) return false;
  for (std::size_t tried = 0; tried < lookup.order.size(); ++tried) {
    const std::size_t position = lookup.next++ % lookup.order.size();
    if (lookup.spent[position]) continue;
    send(id, lookup, position, Transport::udp, now, actions);
    return true;
  }
  return false;
}

/// One exchange ended without an answer: asks whoever was not asked yet; ends the lookup when
/// nobody is left.
void Engine::go_on(std::uint64_t id, Time now, Actions& actions) {
  Lookup& lookup = lookups_.at(id);
  if (lookup.next < lookup.order.size() && send_next(id, lookup, now, actions)) {
    lookup.resend_at = now + lookup.resend_after;
    return schedule(id, lookup);
  }
  if (!lookup.exchanges.empty()) return;
  const bool all_spent =
      std::find(lookup.spent.begin(), lookup.spent.end(), false) == lookup.spent.end();
  if (all_spent || lookup.attempts >= kMaxAttempts) fail(id, now, actions);
}

void Engine::finish(std::uint64_t id, const base::ByteView& message, const Reply& reply,
                    std::size_t upstream, Time now, Actions& actions) {
  Lookup& lookup = lookups_.at(id);
  CachedAnswer answer = to_answer(message, reply, upstream);
  answer_all(lookup, answer, {}, {Origin::From::upstream, upstream}, now, actions);
  cache_.put(lookup.key, std::move(answer), now);
  erase(id, now, actions);
}

void Engine::fail(std::uint64_t id, Time now, Actions& actions) {
  Lookup& lookup = lookups_.at(id);
  ++route_counts_[lookup.route].failures;
  const std::uint16_t rcode =
      lookup.error.value_or(static_cast<std::uint16_t>(Rcode::server_failure));
  cache_.put_failure(lookup.key, rcode, now);
  if (!answer_stale(lookup, now, actions)) fail_all(lookup, rcode, now, actions);
  erase(id, now, actions);
}

void Engine::erase(std::uint64_t id, Time, Actions& actions) {
  const auto found = lookups_.find(id);
  for (const ExchangeId exchange : found->second.exchanges) linger_or_close(exchange, actions);
  lookup_timers_.erase({found->second.wake_at, id});
  by_key_.erase(found->second.key);
  lookups_.erase(found);
}

void Engine::on_time(Time now, Actions& actions) {
  while (!exchange_timers_.empty() && exchange_timers_.begin()->first <= now) {
    const auto exchange = exchanges_.find(exchange_timers_.begin()->second);
    ++upstream_counts_[exchange->second.upstream].timed_out;
    upstreams_.failed(exchange->second.upstream, now);
    give_up(exchange, now, actions);
  }
  while (!lookup_timers_.empty() && lookup_timers_.begin()->first <= now)
    wake(lookup_timers_.begin()->second, now, actions);
}

std::optional<Time> Engine::next_time() const {
  std::optional<Time> next;
  if (!lookup_timers_.empty()) next = lookup_timers_.begin()->first;
  if (!exchange_timers_.empty() && (!next || exchange_timers_.begin()->first < *next))
    next = exchange_timers_.begin()->first;
  return next;
}

}  // namespace viaduct::dns::forward
