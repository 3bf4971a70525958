// Datagrams. The first octet says how the others come to the packet reader: as they are, or behind
// layers that are right, which no mutation would ever make (checksum, encryption).

#include <zlib.h>

#include <memory>
#include <vector>

#include "gossip/encode.h"
#include "gossip/packet.h"
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
      : labelled(bits & 1), keys(bits & 2), sealed(bits & 4), crc(bits & 8) {
    options.label = labelled ? "prod" : "";
    options.verify_incoming = bits & 16;
    options.compress = bits & 32;
  }

  Bytes wrap(ByteView bytes) const {
    base::Writer inner;
    if (crc) {
      inner.u8(12);
      inner.u32(static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size())));
    }
    inner.put(bytes);
    if (!keys || !sealed) return inner.bytes();
    base::Writer outer;
    if (labelled) outer.put(base::as_bytes("\xf4\x04prod"));
    Bytes datagram = outer.bytes();
    keyring(true).seal(inner.bytes(), base::as_bytes(options.label), {}, datagram);
    return datagram;
  }

  WireOptions options;
  bool labelled, keys, sealed, crc;
};

/// What was understood is understood again, alone and in a packet with all the rest.
void check_messages(std::vector<Message> messages, const Way& way) {
  std::vector<MessagePtr> shared;
  for (const Message& message : messages) {
    Bytes bytes;
    encode(message, bytes);
    check(bytes.size() == encoded_octets(message), "the size that was said");
    const OpenedPacket again = open_packet(bytes, {}, keyring(false));
    check(again.messages == std::vector<Message>{message}, "written and read again");
    shared.push_back(std::make_shared<const Message>(message));
  }
  const SealedPackets sealed =
      seal_packet(shared, way.crc, way.options, keyring(way.keys), [] { return Nonce{}; });
  std::vector<Message> all;
  for (const Bytes& datagram : sealed.datagrams) {
    check(datagram.size() <= kMaxPacketOctets, "it is a datagram");
    OpenedPacket opened = open_packet(datagram, way.options, keyring(way.keys));
    check(opened.dropped.total() == 0, "nothing of ours is dropped");
    for (Message& message : opened.messages) all.push_back(std::move(message));
  }
  // A message may just not fit with all layers of ours around it.
  if (sealed.too_large == 0) check(all == messages, "all in their order");
}

}  // namespace
}  // namespace viaduct

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  if (size < 1 || size > gossip::kMaxPacketOctets) return 0;
  const Way way(data[0]);
  const auto datagram = way.wrap({data + 1, size - 1});
  auto opened = gossip::open_packet(datagram, way.options, keyring(way.keys));
  check(!opened.messages.empty() || opened.dropped.total() > 0,
        "a datagram is heard, or counted as dropped");
  check_messages(std::move(opened.messages), way);
  return 0;
}
