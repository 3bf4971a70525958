#include "gossip/table_gossip.h"

#include <algorithm>
#include <utility>

#include "gossip/delta.h"
#include "gossip/encode.h"
#include "gossip/sync_batch.h"

namespace viaduct::gossip {
namespace {

/// Changes of one node that come this close together make one delta.
constexpr base::Duration kCoalesce = std::chrono::milliseconds(50);
/// Gaps that are found this close together are asked for together.
constexpr base::Duration kPullDelay = std::chrono::milliseconds(10);
constexpr base::Duration kForgetInterval = std::chrono::milliseconds(500);
/// What one turn of a sync brought is news for others too, unless it is as much as a node lacks
/// that comes from outside.
constexpr std::size_t kFoundAtOnce = 64;

}  // namespace

base::Bytes TableGossip::begin_sync() const { return pack_batch({store_.begin_sync()}); }

base::Result<TableVersion> TableGossip::publish(std::vector<RowChange> changes, base::Time now) {
  auto version = store_.publish(std::move(changes), now);
  if (version && !flush_at_) flush_at_ = now + kCoalesce;
  return version;
}

void TableGossip::enqueue(Delta delta) {
  if (const MessagePtr queued = queue_.find(delta.owner); queued && delta.owner != store_.id())
    if (const auto older = decode_delta(std::get<User>(*queued).bytes))
      delta = join(*older, delta, budget_);
  const OwnerId owner = delta.owner;
  Message message = User{encode_delta(delta, budget_)};
  const std::size_t octets = encoded_octets(message);
  queue_.put(owner, std::make_shared<const Message>(std::move(message)), octets);
}

void TableGossip::on_user(const User& message, const base::Endpoint& from, base::Time now) {
  const auto kind = vip_kind(message.bytes);
  if (!kind) {
    ++counters_.foreign;
    return;
  }
  // The same news comes again and again while it is spreading.
  if (const auto owner = delta_owner(message.bytes)) {
    const MessagePtr queued = queue_.find(*owner);
    if (queued && std::get<User>(*queued).bytes == message.bytes) {
      ++counters_.repeated;
      return;
    }
  }
  const auto delta =
      *kind == VipKind::delta ? decode_delta(message.bytes) : Decoded<Delta>(Errc::unexpected);
  if (!delta) {
    ++counters_.malformed;
    return;
  }
  const Applied applied = store_.apply(*delta, now);
  if (applied.relay) enqueue(*delta);
  if (applied.pull) want(delta->owner, from, now);
}

void TableGossip::want(OwnerId owner, const base::Endpoint& from, base::Time now) {
  pulls_[from].insert(owner);
  if (!pull_at_) pull_at_ = now + kPullDelay;
}

std::optional<std::vector<base::Bytes>> TableGossip::on_turn(base::ByteView batch, base::Time now) {
  const auto messages = unpack_batch(batch);
  if (!messages) {
    ++counters_.malformed;
    return {};
  }
  std::vector<base::Bytes> replies;
  std::vector<Delta> found;
  for (const base::ByteView message : *messages) {
    Synced synced = store_.on_sync(message, now);
    std::move(synced.replies.begin(), synced.replies.end(), std::back_inserter(replies));
    for (Delta& relay : synced.relays) enqueue(std::move(relay));
    std::move(synced.found.begin(), synced.found.end(), std::back_inserter(found));
  }
  if (found.size() <= kFoundAtOnce)
    for (Delta& delta : found) enqueue(std::move(delta));
  if (messages->empty()) return {};
  return replies;
}

void TableGossip::on_tick(base::Time now, std::size_t budget) {
  budget_ = budget;
  if (flush_at_ && now >= *flush_at_) flush();
  if (now < forget_at_) return;
  forget_at_ = now + kForgetInterval;
  for (const OwnerId owner : store_.on_tick(now)) want(owner, {}, now);
  if (!flush_at_) flush();  // the store may have begun a new epoch
}

void TableGossip::flush() {
  flush_at_.reset();
  auto delta = store_.take_delta(budget_);
  if (!delta) return;
  own_queued_ = true;
  enqueue(*std::move(delta));
}

base::Time TableGossip::next_tick() const {
  base::Time next = forget_at_;
  if (flush_at_) next = std::min(next, *flush_at_);
  if (pull_at_) next = std::min(next, *pull_at_);
  return next;
}

TableGossip::Pulls TableGossip::take_pulls(base::Time now) {
  Pulls due;
  if (!pull_at_ || now < *pull_at_) return due;
  pull_at_.reset();
  for (const auto& [from, owners] : std::exchange(pulls_, {}))
    due[from].assign(owners.begin(), owners.end());
  return due;
}

base::Bytes TableGossip::ask(const std::vector<OwnerId>& owners, base::Time now) {
  ++counters_.pulls;
  return pack_batch({store_.pull(owners, now)});
}

void TableGossip::after_take() {
  if (!own_queued_ || queue_.find(store_.id())) return;
  own_queued_ = false;
  store_.delta_sent();
}

}  // namespace viaduct::gossip
