// How a cut cluster grows together again.

#include <algorithm>
#include <utility>

#include "gossip/engine.h"

namespace viaduct::gossip {
namespace {

/// Who knows nobody dials so many at once, so often.
constexpr std::size_t kLonelyDials = 3;
constexpr base::Duration kLonelyInterval = std::chrono::seconds(1);

}  // namespace

void Engine::find_strangers() {
  strangers_revision_ = membership_.revision();
  strangers_.clear();
  std::vector<base::Endpoint> live;
  const MemberList& members = membership_.members();
  for (const MemberId id : members.ids()) {
    const base::Endpoint& endpoint = members[id].node->endpoint;
    if (members[id].state == NodeState::dead) strangers_.push_back(endpoint);
    if (is_live(members[id].state)) live.push_back(endpoint);
  }
  for (const auto& [name, gone] : membership_.gone())
    if (gone.state == NodeState::dead) strangers_.push_back(gone.node->endpoint);
  strangers_.insert(strangers_.end(), options_.seeds.begin(), options_.seeds.end());
  // Where one died another may live now.
  std::sort(strangers_.begin(), strangers_.end());
  strangers_.erase(std::unique(strangers_.begin(), strangers_.end()), strangers_.end());
  std::sort(live.begin(), live.end());
  std::erase_if(strangers_, [&](const base::Endpoint& endpoint) {
    return endpoint == membership_.self()->endpoint ||
           std::binary_search(live.begin(), live.end(), endpoint);
  });
}

/// A cut cluster grows together again because its nodes dial those whom they lost, for ever, and
/// each one is dialled by somebody about once an interval. Who is alone tries harder.
void Engine::heal(base::Time now, Actions& out) {
  const std::size_t others = membership_.members().live() - 1;
  next_heal_ = now + about(others == 0 ? kLonelyInterval : options_.timing.heal_interval);
  if (strangers_revision_ != membership_.revision()) find_strangers();
  if (strangers_.empty() || membership_.leaving()) return;
  const double share = static_cast<double>(strangers_.size()) / static_cast<double>(others + 1);
  if (others > 0 && !rng_.chance(share)) return;
  const std::size_t dials =
      std::min(strangers_.size(), others == 0 ? kLonelyDials : std::size_t{1});
  for (std::size_t i = 0; i < dials; ++i) {
    std::swap(strangers_[i], strangers_[i + rng_.below(strangers_.size() - i)]);
    push_pull(strangers_[i], true, out);
  }
}

}  // namespace viaduct::gossip
