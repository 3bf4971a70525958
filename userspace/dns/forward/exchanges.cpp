// How an exchange goes: one query to one upstream, and what its replies mean.

#include <algorithm>

#include "dns/forward/engine.h"

namespace viaduct::dns::forward {

using base::Time;

ExchangeId Engine::open_exchange(std::uint64_t lookup, std::size_t upstream,
                                 const ClientQuery& query, Transport transport, Time now,
                                 Actions& actions) {
  const ExchangeId id = ++last_id_;
  Exchange& exchange = exchanges_[id];
  exchange.lookup = lookup;
  exchange.upstream = upstream;
  exchange.transport = transport;
  exchange.manner.edns = upstreams_.has_edns(upstream, now);
  exchange.manner.mixed_case = transport == Transport::udp && upstreams_.keeps_case(upstream, now);
  exchange.message = upstream_query(query, exchange.manner, random_);
  exchange.sent = now;
  exchange.limit_at = now + kExchangeLimit;
  exchange_timers_.insert({exchange.limit_at, id});
  upstreams_.sent(upstream, now);
  ++upstream_counts_[upstream].sent;
  actions.push_back(Send{id, upstream, transport, exchange.message});
  return id;
}

void Engine::send(std::uint64_t lookup_id, Lookup& lookup, std::size_t position,
                  Transport transport, Time now, Actions& actions) {
  const ExchangeId id =
      open_exchange(lookup_id, lookup.order[position], lookup.query, transport, now, actions);
  exchanges_.at(id).position = position;
  lookup.exchanges.push_back(id);
  ++lookup.attempts;
}

void Engine::close(ExchangeMap::iterator exchange, Actions& actions) {
  const ExchangeId id = exchange->first;
  if (exchange->second.lookup == 0) {
    --lingering_[exchange->second.upstream];
  } else if (const auto lookup = lookups_.find(exchange->second.lookup); lookup != lookups_.end()) {
    std::erase(lookup->second.exchanges, id);
  }
  exchange_timers_.erase({exchange->second.limit_at, id});
  actions.push_back(Close{id});
  exchanges_.erase(exchange);
}

/// The lookup ends. Some of its exchanges stay, so that an upstream that is always beaten to it is
/// still known to answer, or not to.
void Engine::linger_or_close(ExchangeId id, Actions& actions) {
  const auto exchange = exchanges_.find(id);
  int& lingering = lingering_[exchange->second.upstream];
  exchange->second.lookup = 0;
  ++lingering;
  if (lingering > kMaxLingering || exchange->second.transport == Transport::tcp)
    close(exchange, actions);
}

void Engine::on_message(ExchangeId id, base::ByteView message, Time now, Actions& actions) {
  const auto exchange = exchanges_.find(id);
  if (exchange == exchanges_.end()) return;
  const Reply reply = inspect(message, exchange->second.message);
  take_reply(exchange, reply, message, now, actions);
}

void Engine::take_reply(ExchangeMap::iterator exchange, const Reply& reply, base::ByteView message,
                        Time now, Actions& actions) {
  const std::size_t upstream = exchange->second.upstream;
  const std::uint64_t lookup = exchange->second.lookup;
  const bool tcp = exchange->second.transport == Transport::tcp;
  UpstreamCounts& counts = upstream_counts_[upstream];
  switch (reply.verdict) {
    case ReplyVerdict::not_response:
    case ReplyVerdict::wrong_id:
    case ReplyVerdict::wrong_question:
    case ReplyVerdict::malformed:
      ++counts.bad_replies;
      return take_bad_reply(exchange, now, actions);
    case ReplyVerdict::case_changed:
      upstreams_.changes_case(upstream, now);
      return send_again(exchange, exchange->second.transport, now, actions);
    case ReplyVerdict::truncated:
      ++counts.truncated;
      if (tcp) return take_bad_reply(exchange, now, actions);
      upstreams_.answered(upstream, now - exchange->second.sent, now);
      return send_again(exchange, Transport::tcp, now, actions);
    case ReplyVerdict::accepted:
      break;
  }
  if (reply.rcode != static_cast<std::uint16_t>(Rcode::no_error) &&
      reply.rcode != static_cast<std::uint16_t>(Rcode::name_error))
    return take_error_code(exchange, reply, now, actions);
  ++counts.answered;
  upstreams_.answered(upstream, now - exchange->second.sent, now);
  close(exchange, actions);
  if (lookup != 0) finish(lookup, message, reply, upstream, now, actions);
}

void Engine::take_error_code(ExchangeMap::iterator exchange, const Reply& reply, Time now,
                             Actions& actions) {
  const std::size_t upstream = exchange->second.upstream;
  const std::uint64_t lookup = exchange->second.lookup;
  ++upstream_counts_[upstream].error_code;
  const auto code = static_cast<Rcode>(reply.rcode);
  const bool cannot_read =
      code == Rcode::format_error || code == Rcode::not_implemented || code == Rcode::bad_version;
  if (cannot_read && exchange->second.manner.edns && !reply.has_opt) {
    upstreams_.lacks_edns(upstream, now);
    return send_again(exchange, exchange->second.transport, now, actions);
  }
  // SERVFAIL may be about the name; every other code says that this upstream does not serve us.
  if (code == Rcode::server_failure)
    upstreams_.answered(upstream, now - exchange->second.sent, now);
  else
    upstreams_.failed(upstream, now);
  if (const auto found = lookups_.find(lookup); found != lookups_.end()) {
    if (!found->second.error && reply.rcode < 16) found->second.error = reply.rcode;
    found->second.spent[exchange->second.position] = true;
  }
  close(exchange, actions);
  if (lookup != 0) go_on(lookup, now, actions);
}

void Engine::take_bad_reply(ExchangeMap::iterator exchange, Time now, Actions& actions) {
  if (exchange->second.transport == Transport::tcp) return on_error(exchange->first, now, actions);
  // Somebody may be guessing: the true answer can still come. Too many, and TCP settles it.
  const auto lookup = lookups_.find(exchange->second.lookup);
  if (lookup == lookups_.end() || ++lookup->second.bad_replies != kMaxBadReplies) return;
  send_again(exchange, Transport::tcp, now, actions);
}

void Engine::send_again(ExchangeMap::iterator exchange, Transport transport, Time now,
                        Actions& actions) {
  const std::uint64_t id = exchange->second.lookup;
  const std::size_t position = exchange->second.position;
  close(exchange, actions);
  const auto lookup = lookups_.find(id);
  if (lookup == lookups_.end()) return;
  if (lookup->second.attempts < kMaxAttempts)
    send(id, lookup->second, position, transport, now, actions);
  else
    go_on(id, now, actions);
}

void Engine::on_error(ExchangeId id, Time now, Actions& actions) {
  const auto exchange = exchanges_.find(id);
  if (exchange == exchanges_.end()) return;
  ++upstream_counts_[exchange->second.upstream].unreachable;
  upstreams_.failed(exchange->second.upstream, now);
  if (const auto lookup = lookups_.find(exchange->second.lookup); lookup != lookups_.end())
    lookup->second.spent[exchange->second.position] = true;
  give_up(exchange, now, actions);
}

/// Once an exchange: it took longer than its upstream usually does.
void Engine::note_late(ExchangeId id, Time now) {
  Exchange& exchange = exchanges_.at(id);
  if (exchange.late || now - exchange.sent < upstreams_.patience(exchange.upstream)) return;
  exchange.late = true;
  upstreams_.late(exchange.upstream, now);
}

/// Ends an exchange that brought nothing, and lets its lookup go on.
void Engine::give_up(ExchangeMap::iterator exchange, Time now, Actions& actions) {
  const std::uint64_t lookup = exchange->second.lookup;
  close(exchange, actions);
  if (lookup != 0) go_on(lookup, now, actions);
}

}  // namespace viaduct::dns::forward
