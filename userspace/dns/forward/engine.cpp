#include "dns/forward/engine.h"

#include <algorithm>

namespace viaduct::dns::forward {

using base::Time;

Engine::Engine(const Options& options, Random random)
    : options_(options),
      random_(std::move(random)),
      routes_(options.upstreams, options.zones),
      upstreams_(routes_.upstreams().size()),
      cache_(options.cache_octets, base::HashKey{random_(), random_()}),
      route_counts_(routes_.all().size()),
      upstream_counts_(routes_.upstreams().size()),
      lingering_(routes_.upstreams().size()) {}

std::pair<std::size_t, Origin> Engine::ask(base::ByteView message, const Question& question,
                                           Transport transport, const base::Address& client,
                                           Ticket ticket, Time now, std::span<std::uint8_t> out,
                                           Actions& actions) {
  using From = Origin::From;
  const ClientQuery query = client_query(message, question, transport);
  if (is_probe(query, now, actions))
    return {write_error(query, Rcode::refused, out), {From::local}};
  const std::optional<std::size_t> route = routes_.find(question);
  if (!route) {
    ++counts_.no_route;
    return {write_error(query, Rcode::refused, out), {From::local}};
  }
  write_key(query, key_);
  const Cache::Found found = cache_.find(key_, now);
  if (found.state == Cache::State::fresh) {
    ++counts_.from_cache;
    const Origin origin{From::cache, found.answer->upstream};
    const std::size_t octets = write_answer(query, *found.answer, {found.age_s}, out);
    if (found.prefetch && !found.failed) prefetch(key_, query, *route, now, actions);
    return {octets, origin};
  }
  const bool full = !may_wait(client);
  if (found.answer && (found.failed || full)) {
    ++counts_.stale;
    return {write_answer(query, *found.answer, {found.age_s, true}, out),
            {From::stale, found.answer->upstream}};
  }
  if (found.failed) {
    ++counts_.failed;
    return {write_error(query, static_cast<Rcode>(found.rcode), out), {From::failure}};
  }
  const bool known = by_key_.contains(key_);
  Lookup* lookup = nullptr;
  if (!full && known) {
    lookup = &lookups_.at(by_key_.at(key_));
    ++counts_.coalesced;
  } else if (!full) {
    lookup = open(key_, query, *route, now);
  }
  if (!lookup) {
    ++counts_.over_limit;
    return {write_error(query, Rcode::server_failure, out), {From::local}};
  }
  wait(*lookup, query, client, ticket, now);
  if (found.answer && !lookup->stale_at) lookup->stale_at = now + kStaleAfter;
  if (known)
    schedule(by_key_.at(key_), *lookup);
  else
    start(by_key_.at(key_), now, actions);
  return {0, {}};
}

bool Engine::may_wait(const base::Address& client) const {
  if (waiting_in_all_ >= kMaxWaiting) return false;
  const auto known = waiting_.find(client);
  return known == waiting_.end() || known->second < kMaxWaitingPerClient;
}

void Engine::wait(Lookup& lookup, const ClientQuery& query, const base::Address& client,
                  Ticket ticket, Time now) {
  Waiter waiter{ticket, client, query, {query.question.begin(), query.question.end()}, now};
  waiter.query.question = waiter.question;
  lookup.waiters.push_back(std::move(waiter));
  ++waiting_[client];
  ++waiting_in_all_;
}

Engine::Lookup* Engine::open(const std::string& key, const ClientQuery& query, std::size_t route,
                             Time now) {
  if (lookups_.size() >= kMaxLookups) return nullptr;
  Lookup& lookup = lookups_[++last_id_];
  by_key_[key] = last_id_;
  lookup.key = key;
  lookup.query = query;
  lookup.question.assign(query.question.begin(), query.question.end());
  lookup.query.question = lookup.question;
  lookup.route = route;
  lookup.started = now;
  return &lookup;
}

void Engine::prefetch(const std::string& key, const ClientQuery& query, std::size_t route, Time now,
                      Actions& actions) {
  if (by_key_.contains(key) || lookups_.size() >= kMaxLookups / 2) return;
  open(key, query, route, now);
  ++counts_.prefetched;
  start(by_key_.at(key), now, actions);
}

/// Forgets the waiters, who have been answered.
void Engine::dismiss(Lookup& lookup, Time now) {
  for (const Waiter& waiter : lookup.waiters) {
    route_counts_[lookup.route].durations.add(
        std::chrono::duration<double>(now - waiter.since).count());
    const auto client = waiting_.find(waiter.client);
    if (--client->second == 0) waiting_.erase(client);
  }
  waiting_in_all_ -= lookup.waiters.size();
  lookup.waiters.clear();
}

void Engine::answer_all(Lookup& lookup, const CachedAnswer& answer, const Age& age,
                        const Origin& origin, Time now, Actions& actions) {
  for (const Waiter& waiter : lookup.waiters) {
    base::Bytes out(std::max(answer.message.size() + kOptOctets * 2, kPlainUdpOctets));
    out.resize(write_answer(waiter.query, answer, age, out));
    actions.push_back(Answer{waiter.ticket, std::move(out), origin});
  }
  (age.stale ? counts_.stale : counts_.from_upstream) += lookup.waiters.size();
  dismiss(lookup, now);
}

void Engine::fail_all(Lookup& lookup, std::uint16_t rcode, Time now, Actions& actions) {
  for (const Waiter& waiter : lookup.waiters) {
    base::Bytes out(kPlainUdpOctets);
    out.resize(write_error(waiter.query, static_cast<Rcode>(rcode), out));
    actions.push_back(Answer{waiter.ticket, std::move(out), {Origin::From::failure}});
  }
  counts_.failed += lookup.waiters.size();
  dismiss(lookup, now);
}

bool Engine::answer_stale(Lookup& lookup, Time now, Actions& actions) {
  const Cache::Found found = cache_.find(lookup.key, now);
  if (!found.answer) return false;
  answer_all(lookup, *found.answer, {found.age_s, true},
             {Origin::From::stale, found.answer->upstream}, now, actions);
  return true;
}

Stats Engine::stats(Time now) const {
  Stats stats;
  stats.counts = counts_;
  for (std::size_t i = 0; i < route_counts_.size(); ++i)
    stats.routes.push_back({routes_.all()[i].zone, route_counts_[i]});
  for (std::size_t i = 0; i < upstream_counts_.size(); ++i)
    stats.upstreams.push_back({routes_.upstreams()[i], upstream_counts_[i],
                               std::chrono::duration<double>(upstreams_.round_trip(i)).count(),
                               upstreams_.failures(i, now), upstreams_.is_aside(i, now)});
  stats.waiting = waiting_in_all_;
  stats.lookups = lookups_.size();
  stats.exchanges = exchanges_.size();
  stats.cache_entries = cache_.size();
  stats.cache_octets = cache_.octets();
  stats.cache_evictions = cache_.evicted();
  return stats;
}

}  // namespace viaduct::dns::forward
