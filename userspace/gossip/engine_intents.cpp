// How nodes end of their own will or an operator's, and what Serf nodes are told of it.

#include <algorithm>
#include <utility>

#include "gossip/engine.h"

namespace viaduct::gossip {
namespace {

/// Serf nodes pass intents on: so many hear it from this node, so often, so long before the end.
constexpr std::size_t kIntentTargets = 8;
constexpr int kIntentRepeats = 3;
constexpr base::Duration kIntentInterval = std::chrono::milliseconds(150);

}  // namespace

void Engine::leave(base::Time now) {
  if (membership_.leaving() || intend_to_end(membership_.self()->name, now)) return;
  membership_.leave(now);
}

/// @return whether there are Serf nodes that are to hear of it.
bool Engine::intend_to_end(std::string_view name, base::Time now) {
  if (membership_.pick(1, is_live_serf).empty()) return false;
  if (intents_.contains(name)) return true;
  const SerfTime time = serf_clock_.next();
  intents_[std::string(name)] = {
      std::make_shared<const Message>(User{encode_leave_intent(name, time)}), kIntentRepeats};
  heard_intents_[std::string(name)] = time;  // older ones do not take its place
  next_intents_ = now;
  return true;
}

void Engine::send_intents(base::Time now, Actions& out) {
  next_intents_ = now + kIntentInterval;
  const auto targets = membership_.pick(kIntentTargets, is_live_serf);
  for (auto intent = intents_.begin(); intent != intents_.end();) {
    if (intent->second.repeats-- > 0) {
      for (const MemberId target : targets)
        out.packets.push_back(
            {membership_.members()[target].node->endpoint, {intent->second.message}});
      ++intent;
      continue;
    }
    if (intent->first == membership_.self()->name) membership_.leave(now);
    intent = intents_.erase(intent);
  }
}

/// Serf nodes tell each other by gossip, of which nodes of ours get a share: it would be lost.
void Engine::relay_intent(const MessagePtr& message, const User& user, base::Time now) {
  const auto intent = decode_intent(user.bytes);
  if (!intent) return;
  serf_clock_.hear(intent->time);
  const MemberList& members = membership_.members();
  if (intent->node == membership_.self()->name || !members.find(intent->node)) return;
  if (heard_intents_.size() > 2 * members.size())  // of those who are gone, too
    std::erase_if(heard_intents_, [&](const auto& heard) { return !members.find(heard.first); });
  SerfTime& heard = heard_intents_[intent->node];
  if (intent->time <= heard || membership_.pick(1, is_live_serf).empty()) return;
  heard = intent->time;
  intents_[intent->node] = {message, kIntentRepeats};
  next_intents_ = std::min(next_intents_, now);
}

bool Engine::force_remove(std::string_view name, base::Time now, Actions& out) {
  const std::size_t before = out.changes.size();
  const bool known = membership_.force_remove(name, now, out);
  note_members(out, before, now);
  if (known) intend_to_end(name, now);
  return known;
}

}  // namespace viaduct::gossip
