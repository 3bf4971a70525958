// The TCP framer: the same messages however the stream is cut. The first octets say how to cut it.

#include <algorithm>
#include <vector>

#include "dns/message.h"
#include "dns/tcp_framer.h"
#include "tests/fuzz/check.h"

namespace viaduct {
namespace {

using fuzz::check;
using Octets = std::vector<std::uint8_t>;

/// What a stream holds by the rule itself: messages, and whether it ends in a bad length or inside
/// a message.
struct Stream {
  std::vector<Octets> messages;
  bool broken = false;
  bool in_message = false;
  bool operator==(const Stream&) const = default;
};

Stream by_rule(std::span<const std::uint8_t> octets) {
  Stream stream;
  while (octets.size() >= 2) {
    const std::size_t length = dns::read16(octets.data());
    stream.broken = length < dns::kHeaderOctets || length > dns::kMaxTcpQueryOctets;
    if (stream.broken || octets.size() - 2 < length) break;
    stream.messages.emplace_back(octets.begin() + 2,
                                 octets.begin() + 2 + static_cast<std::ptrdiff_t>(length));
    octets = octets.subspan(2 + length);
  }
  stream.in_message = !stream.broken && !octets.empty();
  return stream;
}

/// The same by the framer, fed in pieces whose sizes repeat.
Stream by_framer(std::span<const std::uint8_t> octets, std::span<const std::uint8_t> pieces) {
  Stream stream;
  dns::TcpFramer framer;
  for (std::size_t i = 0; !octets.empty() && !framer.broken(); ++i) {
    const auto room = framer.prepare();
    check(!room.empty(), "there is room for more");
    check(room.size() <= dns::kMaxTcpQueryOctets + 2, "the buffer is bounded");
    const std::size_t count =
        std::min({pieces[i % pieces.size()] + std::size_t{1}, room.size(), octets.size()});
    std::copy_n(octets.begin(), count, room.begin());
    framer.commit(count);
    octets = octets.subspan(count);
    while (const auto message = framer.next())
      stream.messages.emplace_back(message->begin(), message->end());
  }
  stream.broken = framer.broken();
  stream.in_message = !stream.broken && framer.in_message();
  return stream;
}

}  // namespace
}  // namespace viaduct

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  constexpr std::size_t kPieces = 4;
  if (size < kPieces) return 0;
  const std::span pieces(data, kPieces), octets(data + kPieces, size - kPieces);
  check(by_rule(octets) == by_framer(octets, pieces), "the framer follows the rule");
  return 0;
}
