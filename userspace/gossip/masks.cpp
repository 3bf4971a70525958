#include "gossip/masks.h"

#include <algorithm>

namespace viaduct::gossip {

std::map<std::string, service::Mask> half_limit(std::span<const MemberOpinion> members,
                                                std::string_view self, bool sick) {
  const auto is = [&](const MemberOpinion& member, NodeState state) {
    return member.state == state && member.name != self;
  };
  const auto suspects = std::count_if(members.begin(), members.end(), [&](const auto& member) {
    return is(member, NodeState::suspect);
  });
  const auto there = std::count_if(members.begin(), members.end(), [&](const auto& member) {
    return !is(member, NodeState::dead) && !is(member, NodeState::left);
  });
  const bool doubt = !sick && 2 * suspects <= there;
  std::map<std::string, service::Mask> masks;
  for (const MemberOpinion& member : members) {
    if (is(member, NodeState::dead) || is(member, NodeState::left))
      masks.emplace(member.name, service::Mask::dead);
    else if (doubt && is(member, NodeState::suspect))
      masks.emplace(member.name, service::Mask::suspect);
  }
  return masks;
}

}  // namespace viaduct::gossip
