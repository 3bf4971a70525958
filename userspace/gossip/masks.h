#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "gossip/message.h"
#include "service/node_rows.h"

namespace viaduct::gossip {

struct MemberOpinion {
  std::string_view name;
  NodeState state = NodeState::alive;
};

/// Whose backends are to be used less, or not at all.
/// Doubt about more than half of those who are not known to be gone is not acted upon: then the
/// fault is likely ours, or of the network between. What that means for one VIP is the merge's
/// matter.
/// @param members  all, this node included.
/// @param sick  this node knows itself to be slow: it doubts nobody.
/// @return every member that is not Mask::none; never this node.
std::map<std::string, service::Mask> half_limit(std::span<const MemberOpinion> members,
                                                std::string_view self, bool sick);

}  // namespace viaduct::gossip
