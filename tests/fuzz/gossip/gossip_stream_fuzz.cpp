// Streams: the same messages however they are cut. The first octets say how to cut, and whether
// the others are one encrypted frame, which no mutation would ever make.

#include <algorithm>
#include <vector>

#include "gossip/encode.h"
#include "gossip/limits.h"
#include "gossip/stream.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/gossip/keys.h"

namespace viaduct {
namespace {

using base::Bytes;
using base::ByteView;
using fuzz::check;
using fuzz::keyring;
using namespace gossip;

struct Way {
  explicit Way(std::uint8_t bits)
      : keys(bits & 1),
        sealed(bits & 2),
        side(bits & 4 ? StreamSide::acceptor : StreamSide::dialler) {
    options.label = bits & 8 ? "prod" : "";
    options.verify_incoming = bits & 16;
    options.compress = bits & 32;
  }

  Bytes wrap(ByteView bytes) const {
    if (!keys || !sealed) return {bytes.begin(), bytes.end()};
    base::Writer frame;
    frame.u8(10);
    frame.u32(static_cast<std::uint32_t>(bytes.size() + kSealOctets));
    Bytes bound = frame.bytes();
    bound.insert(bound.end(), options.label.begin(), options.label.end());
    Bytes out = side == StreamSide::dialler ? stream_head(options) : Bytes{};
    out.insert(out.end(), frame.bytes().begin(), frame.bytes().end());
    keyring(true).seal(bytes, bound, {}, out);
    return out;
  }

  WireOptions options;
  bool keys, sealed;
  StreamSide side;
};

struct Found {
  std::vector<StreamMessage> messages;
  bool failed = false;
  bool idle = false;
  std::uint64_t dropped = 0;
  bool operator==(const Found&) const = default;
};

Found read(const Way& way, ByteView bytes, ByteView pieces) {
  StreamReader reader(way.side, way.options, keyring(way.keys));
  Found found;
  for (std::size_t i = 0; !bytes.empty() && !found.failed; ++i) {
    const std::size_t octets =
        pieces.empty() ? bytes.size()
                       : std::min(bytes.size(), pieces[i % pieces.size()] + std::size_t{1});
    reader.feed(bytes.first(octets));
    bytes = bytes.subspan(octets);
    while (!found.failed) {
      auto message = reader.next();
      if (!message) break;
      if (message->has_value())
        found.messages.push_back(**std::move(message));
      else
        found.failed = true;
    }
  }
  found.idle = reader.idle();
  found.dropped = reader.take_dropped().total();
  return found;
}

/// What was understood is understood again.
void check_messages(const std::vector<StreamMessage>& messages, const Way& way) {
  for (const StreamMessage& message : messages) {
    const auto sealed =
        seal_stream(message, way.options, keyring(way.keys), [] { return Nonce{}; });
    if (sealed.has_error()) continue;  // our layers made it too large
    WireOptions options = way.options;
    StreamReader reader(StreamSide::acceptor, options, keyring(way.keys));
    reader.feed(*sealed);
    const auto again = reader.next();
    check(again && again->has_value() && **again == message, "written and read again");
  }
}

}  // namespace
}  // namespace viaduct

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  constexpr std::size_t kPieces = 3;
  if (size < 1 + kPieces) return 0;
  const Way way(data[0]);
  const auto bytes = way.wrap({data + 1 + kPieces, size - 1 - kPieces});
  const Found whole = read(way, bytes, {});
  check(whole == read(way, bytes, {data + 1, kPieces}), "the same however it is cut");
  check_messages(whole.messages, way);
  return 0;
}
