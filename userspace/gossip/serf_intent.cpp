#include "gossip/serf_intent.h"

#include <array>
#include <limits>

#include "gossip/limits.h"
#include "gossip/msgpack.h"

namespace viaduct::gossip {
namespace {

// Serf's types of messages: an octet before a msgpack map.
constexpr std::uint8_t kLeave = 0;
constexpr std::uint8_t kJoin = 1;
constexpr std::uint8_t kState = 2;

constexpr SerfTime kMaxTime = std::numeric_limits<std::uint32_t>::max();

constexpr std::array<std::string_view, 1> kTimeOnly{"LTime"};
constexpr std::array<std::string_view, 2> kIntent{"LTime", "Node"};

}  // namespace

void SerfClock::hear_state(base::ByteView state) {
  if (state.empty() || state[0] != kState) return;
  known_ = true;
  MsgpackReader reader(state.subspan(1));
  SerfTime heard = 0;
  reader.fields(kTimeOnly, [&](std::size_t) { heard = reader.natural(kMaxTime); });
  if (!reader.failed()) hear(heard);
}

std::optional<SerfIntent> decode_intent(base::ByteView message) {
  if (message.empty() || message.size() > kMaxIntentOctets ||
      (message[0] != kLeave && message[0] != kJoin))
    return {};
  MsgpackReader reader(message.subspan(1));
  SerfIntent intent;
  reader.fields(kIntent, [&](std::size_t field) {
    if (field == 0)
      intent.time = reader.natural(kMaxTime);
    else
      intent.node = base::as_text(reader.raw(kMaxNameOctets));
  });
  if (reader.failed()) return {};
  return intent;
}

base::Bytes encode_leave_intent(std::string_view node, SerfTime time) {
  base::Writer bytes;
  bytes.u8(kLeave);
  MsgpackWriter writer(bytes);
  writer.map(3);
  writer.text("LTime");
  writer.natural(time);
  writer.text("Node");
  writer.text(node);
  writer.text("Prune");
  writer.boolean(false);
  return std::move(bytes).take();
}

}  // namespace viaduct::gossip
