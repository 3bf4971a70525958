#include "gossip/engine.h"

#include <algorithm>
#include <utility>

#include "gossip/encode.h"
#include "gossip/meta.h"
#include "gossip/sync_batch.h"

namespace viaduct::gossip {
namespace {

template <class... Functions>
struct Overload : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overload(Functions...) -> Overload<Functions...>;  // clang 14 does not deduce it

/// A joiner compares what it learnt with a second member after this time, with a third one after
/// three times that, and so on: a seed may know little while many join.
constexpr int kSettlingGrowth = 3;
/// So many changes, and this share of all members, make an upheaval.
constexpr std::size_t kUpheaval = 8;
constexpr std::size_t kUpheavalShare = 50;
/// Digests are compared soon after members were exchanged.
constexpr base::Duration kDigestAfterJoin = std::chrono::milliseconds(200);
/// Rows get this share of a packet when there is more news than fits.
constexpr std::size_t kReservedShare = 3;
/// From this protocol version on a node checks checksums.
constexpr std::uint8_t kProtocolCrc = 5;

}  // namespace

Engine::Engine(NodeInfoPtr self, EngineOptions options, base::Time now)
    : options_(std::move(options)),
      rng_(options_.random_seed),
      membership_(std::move(self), options_.timing, rng_, news_, now),
      prober_(
          membership_, options_.timing,
          [this](const base::Endpoint& to, std::optional<MemberId> member,
                 std::vector<MessagePtr> messages,
                 Actions& out) { send(to, member, std::move(messages), out); },
          [this](const base::Endpoint& to, const Ping& ping, Actions& out) {
            open(to, Purpose::ping, ping, out);
          },
          now + about(options_.timing.probe_interval)),
      table_(membership_.self()->name, options_.epoch),
      next_gossip_(now + about(options_.timing.gossip_interval)),
      next_push_pull_(now + about(options_.timing.push_pull_interval)),
      next_heal_(now),
      next_digest_(now + about(options_.timing.digest_interval)) {
  auto& seeds = options_.seeds;
  std::sort(seeds.begin(), seeds.end());
  seeds.erase(std::unique(seeds.begin(), seeds.end()), seeds.end());
  std::erase(seeds, membership_.self()->endpoint);
}

/// Half to one and a half of it: nodes that start together do not act together.
base::Duration Engine::about(base::Duration duration) {
  return std::chrono::duration_cast<base::Duration>(duration * (0.5 + rng_.unit()));
}

void Engine::on_packet(std::span<const MessagePtr> messages, const base::Endpoint& from,
                       base::Time now, Actions& out) {
  const std::size_t before = out.changes.size();
  for (const MessagePtr& message : messages) on_message(message, from, now, out);
  note_members(out, before, now);
  gossip_soon(now);
}

/// The table follows the members.
void Engine::note_members(const Actions& out, std::size_t from, base::Time now) {
  count_upheaval(out.changes.size() - from, now);
  for (std::size_t i = from; i < out.changes.size(); ++i) {
    const MemberChanged& change = out.changes[i];
    if (!is_viaduct(change.node->meta)) continue;
    if (is_live(change.state))
      table_.store().member_alive(change.node->name, now);
    else
      table_.store().member_gone(change.node->name, now);
  }
}

void Engine::on_message(const MessagePtr& message, const base::Endpoint& from, base::Time now,
                        Actions& out) {
  std::visit(Overload{
                 [&](const Ping& ping) { prober_.on_ping(ping, from, out); },
                 [&](const IndirectPing& ping) { prober_.on_indirect_ping(ping, from, now, out); },
                 [&](const Ack& ack) { prober_.on_ack(ack, now, out); },
                 [&](const Nack& nack) { prober_.on_nack(nack); },
                 [&](const Suspect& suspect) { membership_.on_suspect(suspect, now, out); },
                 [&](const Dead& dead) { membership_.on_dead(dead, now, out); },
                 [&](const Alive& alive) { membership_.on_alive(alive, now, out); },
                 [&](const User& user) {
                   relay_intent(message, user, now);
                   table_.on_user(user, from, now);
                 },
             },
             *message);
}

/// Sends messages together with news, if there is any.
void Engine::send(const base::Endpoint& to, std::optional<MemberId> member,
                  std::vector<MessagePtr> messages, Actions& out) {
  const bool crc =
      member && membership_.members()[*member].node->versions.protocol_max >= kProtocolCrc;
  if (has_news()) {
    std::size_t used = 0;
    for (const MessagePtr& message : messages) used += encoded_octets(*message) + kPartOverhead;
    if (used < options_.packet_bytes)
      add_news(options_.packet_bytes - used, member && membership_.members()[*member].viaduct,
               messages);
  }
  out.packets.push_back(SendPacket{to, std::move(messages), crc});
}

/// Members come first, but cannot crowd out rows: a cluster whose members come and go still
/// balances.
void Engine::add_news(std::size_t budget, bool to_viaduct, std::vector<MessagePtr>& messages) {
  const int limit = retransmit_limit(options_.timing.retransmit_mult, membership_.members().size());
  BroadcastQueue& rows = table_.queue();
  const std::size_t reserved =
      to_viaduct ? std::min(rows.octets() + rows.size() * kPartOverhead, budget / kReservedShare)
                 : 0;
  budget -= reserved;
  news_.take(budget, kPartOverhead, limit, messages);
  budget += reserved;
  if (!to_viaduct || rows.empty()) return;
  rows.take(budget, kPartOverhead, limit, messages);
  table_.after_take();
}

void Engine::open(const base::Endpoint& to, Purpose purpose, StreamMessage first, Actions& out) {
  const StreamId id = next_stream_++;
  streams_[id] = {purpose};
  out.streams.push_back(OpenStream{id, to, std::move(first)});
}

void Engine::push_pull(const base::Endpoint& to, bool join, Actions& out) {
  open(to, Purpose::push_pull, membership_.state(join, nullptr), out);
}

std::optional<StreamMessage> Engine::on_request(const StreamMessage& message,
                                                const base::Endpoint& from, base::Time now,
                                                Actions& out) {
  (void)from;
  if (const auto* ping = std::get_if<Ping>(&message)) {
    if (!ping->node.empty() && ping->node != membership_.self()->name) return {};
    return Ack{ping->sequence, {}};
  }
  if (const auto* remote = std::get_if<PushPull>(&message)) {
    PushPull mine = membership_.state(false, remote);
    merge(*remote, now, out);
    return mine;
  }
  if (const auto* turn = std::get_if<User>(&message)) {
    const auto replies = table_.on_turn(turn->bytes, now);
    gossip_soon(now);
    if (!replies) return {};
    return User{pack_batch(*replies)};
  }
  ++counters_.unexpected;
  return {};
}

std::optional<StreamMessage> Engine::on_answer(StreamId id, const StreamMessage& message,
                                               base::Time now, Actions& out) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return {};
  const auto* ack = std::get_if<Ack>(&message);
  const auto* remote = std::get_if<PushPull>(&message);
  const auto* turn = std::get_if<User>(&message);
  if (stream->second.purpose == Purpose::ping && ack != nullptr) {
    prober_.on_stream_ack(*ack, now);
  } else if (stream->second.purpose == Purpose::push_pull && remote != nullptr) {
    stream->second.answered = true;
    next_digest_ = std::min(next_digest_, now + about(kDigestAfterJoin));
    merge(*remote, now, out);
  } else if (stream->second.purpose == Purpose::table && turn != nullptr) {
    return take_turn(stream->second, *turn, now);
  } else {
    ++counters_.unexpected;
  }
  return {};
}

std::optional<StreamMessage> Engine::take_turn(Stream& stream, const User& turn, base::Time now) {
  stream.answered = true;
  const auto replies = table_.on_turn(turn.bytes, now);
  gossip_soon(now);
  if (!replies || replies->empty()) return {};
  return User{pack_batch(*replies)};
}

void Engine::on_stream_end(StreamId id, base::Time now, Actions& out) {
  (void)now;
  (void)out;
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return;
  if (stream->second.purpose == Purpose::push_pull)
    ++(stream->second.answered ? counters_.push_pulls : counters_.push_pulls_failed);
  else if (stream->second.purpose == Purpose::table)
    ++(stream->second.answered ? table_.counters().syncs : table_.counters().syncs_failed);
  streams_.erase(stream);
}

void Engine::merge(const PushPull& remote, base::Time now, Actions& out) {
  const std::size_t before = out.changes.size();
  membership_.merge(remote, now, out);
  serf_clock_.hear_state(remote.user_state);
  gossip_soon(now);
  note_members(out, before, now);
  if (settling_ == base::Duration::zero()) settle_anew(now);
}

/// When many members come or go at once, as when a cut cluster grows together, some of the news
/// does not arrive.
void Engine::count_upheaval(std::size_t changes, base::Time now) {
  if (changes == 0 || settling_ == base::Duration::zero()) return;
  upheaval_ += changes;
  const std::size_t many = std::max(kUpheaval, membership_.members().size() / kUpheavalShare);
  if (upheaval_ > many && settling_ > options_.timing.second_opinion) settle_anew(now);
}

void Engine::settle_anew(base::Time now) {
  settling_ = options_.timing.second_opinion;
  next_push_pull_ = std::min(next_push_pull_, now + about(settling_));
}

void Engine::on_tick(base::Time now, Actions& out) {
  const std::size_t before = out.changes.size();
  membership_.on_tick(now, out);
  prober_.on_tick(now, out);
  note_members(out, before, now);
  table_.on_tick(now, options_.packet_bytes - kPartOverhead - 1);
  pull_rows(now, out);
  if (now >= next_digest_) sync_table(now, out);
  if (now >= next_push_pull_) push_pull_with_any(now, out);
  if (now >= next_heal_) heal(now, out);
  if (!intents_.empty() && now >= next_intents_) send_intents(now, out);
  gossip_soon(now);
  if (now >= next_gossip_) gossip(now, out);
}

base::Time Engine::next_tick() const {
  base::Time next = std::min({membership_.next_tick(), prober_.next_tick(), table_.next_tick(),
                              next_push_pull_, next_heal_, next_digest_});
  if (has_news()) next = std::min(next, next_gossip_);
  if (!intents_.empty()) next = std::min(next, next_intents_);
  return next;
}

void Engine::push_pull_with_any(base::Time now, Actions& out) {
  const base::Duration usual =
      push_pull_interval(options_.timing.push_pull_interval, membership_.members().live());
  if (settling_ > base::Duration::zero()) settling_ = std::min(usual, settling_ * kSettlingGrowth);
  next_push_pull_ = now + about(settling_ > base::Duration::zero() ? settling_ : usual);
  // The first one with a Serf node, if there is any: its time is needed to leave.
  std::vector<MemberId> any;
  if (!serf_clock_.known()) any = membership_.pick(1, is_live_serf);
  if (any.empty())
    any = membership_.pick(1, [&](const Member& member) {
      return member.state == NodeState::alive && member.node != membership_.self();
    });
  if (!any.empty() && !membership_.leaving())
    push_pull(membership_.members()[any.front()].node->endpoint, false, out);
}

std::optional<base::Endpoint> Engine::any_viaduct() {
  const auto any = membership_.pick(1, [&](const Member& member) {
    return member.viaduct && member.state == NodeState::alive && member.node != membership_.self();
  });
  if (any.empty()) return {};
  return membership_.members()[any.front()].node->endpoint;
}

void Engine::sync_table(base::Time now, Actions& out) {
  next_digest_ = now + about(options_.timing.digest_interval);
  if (const auto peer = any_viaduct(); peer && !membership_.leaving())
    open(*peer, Purpose::table, User{table_.begin_sync()}, out);
}

void Engine::pull_rows(base::Time now, Actions& out) {
  for (const auto& [from, owners] : table_.take_pulls(now)) {
    const auto peer = from.port == 0 ? any_viaduct() : from;
    if (peer) open(*peer, Purpose::table, User{table_.ask(owners, now)}, out);
  }
}

/// What is new leaves soon, but what came together leaves together.
void Engine::gossip_soon(base::Time now) {
  if (!news_.has_fresh() && !table_.queue().has_fresh()) return;
  const base::Duration delay = options_.timing.eager_delay;
  next_gossip_ = std::min(next_gossip_, std::max(now, last_gossip_ + delay) + about(delay) / 2);
}

/// Those who ended hear it for a while: perhaps they live, and refute it. Who has left, too: what
/// is said of an earlier life of it, or by an operator, may have reached everybody but itself.
void Engine::gossip(base::Time now, Actions& out) {
  next_gossip_ = now + options_.timing.gossip_interval;
  last_gossip_ = now;
  if (!has_news()) return;
  const auto targets = membership_.pick(
      static_cast<std::size_t>(options_.timing.gossip_nodes), [&](const Member& member) {
        return member.node != membership_.self() && (member.viaduct || !news_.empty()) &&
               (is_live(member.state) || now - member.changed < options_.timing.gossip_to_dead);
      });
  for (const MemberId target : targets) {
    const Member& member = membership_.members()[target];
    std::vector<MessagePtr> messages;
    add_news(options_.packet_bytes, member.viaduct, messages);
    if (messages.empty()) continue;
    out.packets.push_back(SendPacket{member.node->endpoint, std::move(messages),
                                     member.node->versions.protocol_max >= kProtocolCrc});
  }
}

}  // namespace viaduct::gossip
