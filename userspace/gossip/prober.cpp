#include "gossip/prober.h"

#include <algorithm>
#include <utility>

namespace viaduct::gossip {
namespace {

/// Pings on behalf of others that wait for an answer at a time.
constexpr std::size_t kMaxRelays = 1024;
/// From these protocol versions on a node answers pings over TCP, and knows nack.
constexpr std::uint8_t kProtocolStreamPing = 3;
constexpr std::uint8_t kProtocolNack = 4;

MessagePtr share(Message message) { return std::make_shared<const Message>(std::move(message)); }

base::Endpoint answer_to(const std::optional<PingSource>& source, const base::Endpoint& from) {
  return source && source->endpoint.port != 0 ? source->endpoint : from;
}

}  // namespace

Prober::Prober(Membership& membership, const Timing& timing, Send send, Dial dial, base::Time now)
    : membership_(membership),
      timing_(timing),
      send_(std::move(send)),
      dial_(std::move(dial)),
      next_probe_(now + timing.probe_interval) {}

Ping Prober::make_ping(std::string node) {
  const NodeInfo& self = *membership_.self();
  return {next_sequence_++, std::move(node), PingSource{self.endpoint, self.name}};
}

bool Prober::speaks(MemberId id, std::uint8_t protocol) const {
  return membership_.members()[id].node->versions.protocol_max >= protocol;
}

void Prober::on_ping(const Ping& ping, const base::Endpoint& from, Actions& out) {
  if (!ping.node.empty() && ping.node != membership_.self()->name) return;
  std::optional<MemberId> member;
  if (ping.source) member = membership_.members().find(ping.source->node);
  send_(answer_to(ping.source, from), member, {share(Ack{ping.sequence, {}})}, out);
}

void Prober::on_indirect_ping(const IndirectPing& ping, const base::Endpoint& from, base::Time now,
                              Actions& out) {
  if (relays_.size() >= kMaxRelays) {
    ++counters_.relays_refused;
    return;
  }
  Ping mine = make_ping(ping.node);
  relays_[mine.sequence] = {answer_to(ping.source, from), ping.sequence, ping.nack,
                            now + timing_.probe_timeout};
  send_(ping.target, membership_.members().find(ping.node), {share(std::move(mine))}, out);
}

bool Prober::answers_probe(Sequence sequence, base::Time now) {
  if (!probe_ || probe_->sequence != sequence || probe_->answered) return false;
  probe_->answered = true;
  membership_.heard(probe_->name, now);
  return true;
}

void Prober::on_ack(const Ack& ack, base::Time now, Actions& out) {
  if (answers_probe(ack.sequence, now)) {
    if (probe_->indirect_sent) ++counters_.saved_by_peer;
    return;
  }
  const auto relay = relays_.find(ack.sequence);
  if (relay == relays_.end()) return;
  send_(relay->second.requester, {}, {share(Ack{relay->second.sequence, {}})}, out);
  relays_.erase(relay);
}

void Prober::on_nack(const Nack& nack) {
  if (probe_ && probe_->sequence == nack.sequence) ++probe_->nacks;
}

void Prober::on_stream_ack(const Ack& ack, base::Time now) {
  if (answers_probe(ack.sequence, now)) ++counters_.saved_by_stream;
}

void Prober::on_tick(base::Time now, Actions& out) {
  answer_late_relays(now, out);
  if (probe_ && !probe_->answered && !probe_->indirect_sent && now >= probe_->indirect_at)
    ask_others(out);
  if (probe_ && now >= probe_->verdict_at) conclude(now, out);
  if (!probe_ && now >= next_probe_) begin(now, out);
}

base::Time Prober::next_tick() const {
  base::Time next = next_probe_;
  if (probe_) {
    next = probe_->verdict_at;
    if (!probe_->answered && !probe_->indirect_sent) next = std::min(next, probe_->indirect_at);
  }
  if (!relays_.empty()) next = std::min(next, relays_.begin()->second.nack_at);
  return next;
}

void Prober::begin(base::Time now, Actions& out) {
  next_probe_ = now + timing_.probe_interval;
  if (membership_.leaving()) return;
  const auto id = membership_.next_probe();
  if (!id) return;
  const Member& member = membership_.members()[*id];
  Ping ping = make_ping(member.node->name);
  ++counters_.probes;
  Probe probe;
  probe.name = member.node->name;
  probe.endpoint = member.node->endpoint;
  probe.sequence = ping.sequence;
  probe.indirect_at = now + timing_.probe_timeout;
  probe.verdict_at = now + membership_.awareness().scale(timing_.probe_interval);
  probe_ = std::move(probe);
  std::vector<MessagePtr> messages{share(std::move(ping))};
  // A suspect that hears of its suspicion can refute it.
  if (member.state == NodeState::suspect)
    messages.push_back(
        share(Suspect{member.incarnation, member.node->name, membership_.self()->name}));
  send_(member.node->endpoint, id, std::move(messages), out);
}

void Prober::ask_others(Actions& out) {
  probe_->indirect_sent = true;
  const NodeInfo& self = *membership_.self();
  const auto helpers = membership_.pick(
      static_cast<std::size_t>(timing_.indirect_checks), [&](const Member& member) {
        return member.state == NodeState::alive && member.node->name != self.name &&
               member.node->name != probe_->name;
      });
  for (const MemberId helper : helpers) {
    const bool nack = speaks(helper, kProtocolNack);
    if (nack) ++probe_->nacks_expected;
    send_(membership_.members()[helper].node->endpoint, helper,
          {share(IndirectPing{probe_->sequence, probe_->endpoint, probe_->name, nack,
                              PingSource{self.endpoint, self.name}})},
          out);
  }
  const auto id = membership_.members().find(probe_->name);
  if (id && speaks(*id, kProtocolStreamPing))
    dial_(probe_->endpoint,
          Ping{probe_->sequence, probe_->name, PingSource{self.endpoint, self.name}}, out);
}

void Prober::conclude(base::Time now, Actions& out) {
  const Probe probe = *std::exchange(probe_, {});
  next_probe_ = now;
  if (probe.answered) return membership_.awareness().add(-1);
  ++counters_.failed;
  membership_.awareness().add(
      probe.nacks_expected > 0 ? std::max(0, probe.nacks_expected - probe.nacks) : 1);
  const auto id = membership_.members().find(probe.name);
  if (!id) return;
  const Member& member = membership_.members()[*id];
  if (!is_live(member.state) || member.node->endpoint != probe.endpoint) return;
  membership_.suspect(*id, now, out);
}

void Prober::answer_late_relays(base::Time now, Actions& out) {
  for (auto relay = relays_.begin(); relay != relays_.end() && now >= relay->second.nack_at;) {
    if (relay->second.nack)
      send_(relay->second.requester, {}, {share(Nack{relay->second.sequence})}, out);
    relay = relays_.erase(relay);
  }
}

}  // namespace viaduct::gossip
