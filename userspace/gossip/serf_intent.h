#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace viaduct::gossip {

/// Serf orders joins and leaves by a Lamport clock of its own. What it last said about a node
/// counts, and a node that ends without having said that it leaves has failed to it.
using SerfTime = std::uint64_t;

/// What of Serf's clock was heard: from its intents and its part of push-pulls.
class SerfClock {
 public:
  /// The time of an intent.
  void hear(SerfTime time) { time_ = std::max(time_, time); }
  /// The user state of a push-pull.
  void hear_state(base::ByteView state);

  /// Whether the time is known from a Serf node's state.
  bool known() const { return known_; }
  /// A time later than all that was heard.
  SerfTime next() { return ++time_; }

 private:
  SerfTime time_ = 0;
  bool known_ = false;
};

/// What Serf says of a node that joins or leaves.
struct SerfIntent {
  SerfTime time = 0;
  std::string node;
};
/// @return absent: another message, not one of Serf's, over kMaxIntentOctets, or with a time that
///     nobody's clock gets to by counting: who says so would stop it for ever.
std::optional<SerfIntent> decode_intent(base::ByteView message);

/// Serf's user message that a node is about to leave.
base::Bytes encode_leave_intent(std::string_view node, SerfTime time);

}  // namespace viaduct::gossip
