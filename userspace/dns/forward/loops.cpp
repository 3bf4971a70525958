// How an upstream that leads back to us is found out.

#include <algorithm>

#include "dns/forward/engine.h"

namespace viaduct::dns::forward {
namespace {

constexpr std::uint16_t kHinfo = 13;  // nobody asks for it by accident

/// 16 random hexadecimal digits under a name that nobody owns (RFC 6761, 6.4), with type and class.
base::Bytes probe_question(const Random& random) {
  base::Bytes question{16};
  for (std::uint64_t bits = random(), i = 0; i < 16; ++i, bits >>= 4)
    question.push_back(static_cast<std::uint8_t>("0123456789abcdef"[bits & 15]));
  const Name suffix = Name::parse("loop.viaduct.invalid").value();
  question.insert(question.end(), suffix.wire().begin(), suffix.wire().end());
  question.insert(question.end(), {0, kHinfo, 0, kClassIn});
  return question;
}

}  // namespace

using base::Time;

void Engine::probe_loops(Time now, Actions& actions) {
  probes_.clear();
  for (std::size_t upstream = 0; upstream < routes_.upstreams().size(); ++upstream) {
    const base::Bytes question = probe_question(random_);
    ClientQuery query;
    query.flags = kFlagRecursionDesired;
    query.question = question;
    probes_.emplace(base::as_text(query.name()), upstream);
    ++lingering_[upstream];
    open_exchange(0, upstream, query, Transport::udp, now, actions);
  }
}

bool Engine::is_probe(const ClientQuery& query, Time now, Actions& actions) {
  if (query.type() != kHinfo) return false;
  const FoldedName name(query.name());
  const auto probe = probes_.find(std::string(base::as_text(name.wire())));
  if (probe == probes_.end()) return false;
  set_aside(probe->second, now, actions);
  return true;
}

bool Engine::is_own_query(ExchangeId id, base::ByteView message, Time now, Actions& actions) {
  const auto exchange = exchanges_.find(id);
  if (exchange == exchanges_.end()) return false;
  const base::Bytes& sent = exchange->second.message;
  if (!std::equal(sent.begin(), sent.end(), message.begin(), message.end())) return false;
  set_aside(exchange->second.upstream, now, actions);
  return true;
}

bool Engine::is_reply_of(ExchangeId id, base::ByteView message) const {
  const auto exchange = exchanges_.find(id);
  if (exchange == exchanges_.end()) return false;
  const ReplyVerdict verdict = inspect(message, exchange->second.message).verdict;
  return verdict == ReplyVerdict::accepted || verdict == ReplyVerdict::truncated;
}

void Engine::set_aside(std::size_t upstream, Time now, Actions& actions) {
  if (!upstreams_.is_aside(upstream, now)) actions.push_back(Aside{upstream});
  upstreams_.set_aside(upstream, now);
  std::vector<ExchangeId> all;
  for (const auto& [id, exchange] : exchanges_)
    if (exchange.upstream == upstream) all.push_back(id);
  for (const ExchangeId id : all) {
    const auto exchange = exchanges_.find(id);
    if (exchange == exchanges_.end()) continue;
    if (const auto lookup = lookups_.find(exchange->second.lookup); lookup != lookups_.end())
      lookup->second.spent[exchange->second.position] = true;
    give_up(exchange, now, actions);
  }
}

}  // namespace viaduct::dns::forward
