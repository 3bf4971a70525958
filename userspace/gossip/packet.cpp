#include "gossip/packet.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "gossip/decode.h"
#include "gossip/encode.h"
#include "gossip/lzw.h"
#include "gossip/message_type.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using base::ByteView;

constexpr std::size_t kCrcOctets = 5;
constexpr std::size_t kLabelHeadOctets = 2;
constexpr std::size_t kMaxParts = 255;

std::uint8_t type_byte(MessageType type) { return static_cast<std::uint8_t>(type); }
bool begins_with(ByteView bytes, MessageType type) {
  return !bytes.empty() && bytes[0] == type_byte(type);
}

std::uint32_t checksum(ByteView bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

/// Takes off what nests in each other, and decodes what is within.
class Unwrapper {
 public:
  explicit Unwrapper(OpenedPacket& result) : result_(result) {}

  void unwrap(ByteView bytes, int layers) {
    const bool is_layer =
        begins_with(bytes, MessageType::compound) || begins_with(bytes, MessageType::compress);
    if (is_layer && layers == kMaxLayers) return drop(Errc::too_deep);
    if (begins_with(bytes, MessageType::compound)) return split(bytes.subspan(1), layers + 1);
    if (begins_with(bytes, MessageType::compress)) return expand(bytes.subspan(1), layers + 1);
    auto message = decode_message(bytes);
    if (message.has_error()) return drop(message.error());
    result_.messages.push_back(*std::move(message));
  }

 private:
  void drop(Errc errc) { result_.dropped.add(errc); }

  /// A count, as many lengths, the parts. What is not whole is dropped, what is before it counts.
  void split(ByteView body, int layers) {
    base::Reader lengths(body);
    const std::size_t parts = lengths.u8();
    if (parts == 0 && !lengths.failed()) return drop(Errc::malformed);
    base::Reader contents(lengths.take(2 * parts));
    base::Reader rest(lengths.rest());
    if (lengths.failed()) return drop(Errc::truncated);
    for (std::size_t i = 0; i < parts; ++i) {
      const ByteView part = rest.take(contents.u16());
      if (rest.failed()) return result_.dropped.add(Errc::truncated, parts - i);
      unwrap(part, layers);
    }
  }

  void expand(ByteView body, int layers) {
    const auto compressed = decode_compressed(body);
    if (compressed.has_error()) return drop(compressed.error());
    const auto plain = lzw_expand(*compressed, expandable_);
    if (plain.has_error()) return drop(plain.error());
    expandable_ -= plain->size();
    unwrap(*plain, layers);
  }

  OpenedPacket& result_;
  std::size_t expandable_ = kMaxExpandedPacketOctets;  // shared by all layers of the datagram
};

/// Takes the label off.
Decoded<ByteView> without_label(ByteView bytes, const std::string& label) {
  if (!begins_with(bytes, MessageType::label)) {
    if (!label.empty()) return Errc::wrong_label;
    return bytes;
  }
  base::Reader in(bytes.subspan(1));
  const ByteView found = in.take(in.u8());
  if (in.failed()) return Errc::truncated;
  if (base::as_text(found) != label || label.empty()) return Errc::wrong_label;
  return in.rest();
}

/// Opens what is encrypted.
/// @param plain  holds what the result views.
Decoded<ByteView> decrypted(ByteView bytes, const WireOptions& options, const Keyring& keyring,
                            Bytes& plain) {
  if (keyring.empty()) return bytes;
  auto opened = keyring.open(bytes, base::as_bytes(options.label));
  if (opened.has_value()) {
    plain = *std::move(opened);
    return ByteView(plain);
  }
  if (!options.verify_incoming) return bytes;
  return opened.error() == Errc::wrong_key ? Errc::wrong_key : Errc::not_encrypted;
}

Decoded<ByteView> without_crc(ByteView bytes) {
  if (!begins_with(bytes, MessageType::crc)) return bytes;
  base::Reader in(bytes.subspan(1));
  const std::uint32_t expected = in.u32();
  if (in.failed()) return Errc::truncated;
  if (checksum(in.rest()) != expected) return Errc::bad_crc;
  return in.rest();
}

/// The messages as they stand in a compound, or alone.
Bytes join(std::span<const MessagePtr> messages) {
  Bytes bytes;
  if (messages.size() == 1) {
    encode(*messages[0], bytes);
    return bytes;
  }
  bytes = {type_byte(MessageType::compound), static_cast<std::uint8_t>(messages.size())};
  bytes.resize(kCompoundOctets + kCompoundPartOctets * messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::size_t begin = bytes.size();
    encode(*messages[i], bytes);
    const std::size_t octets = bytes.size() - begin;
    const std::size_t at = kCompoundOctets + kCompoundPartOctets * i;
    bytes[at] = static_cast<std::uint8_t>(octets >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(octets);
  }
  return bytes;
}

/// Compressed if that makes it smaller.
Bytes compressed(Bytes plain) {
  Bytes layer;
  encode_compressed(lzw_compress(plain), layer);
  return layer.size() < plain.size() ? layer : plain;
}

bool encrypts(const WireOptions& options, const Keyring& keyring) {
  return !keyring.empty() && options.verify_outgoing;
}

Bytes wrap(Bytes bytes, bool with_crc, const WireOptions& options, const Keyring& keyring,
           const NonceSource& nonces) {
  if (options.compress) bytes = compressed(std::move(bytes));
  base::Writer checked;
  if (with_crc) {
    checked.u8(type_byte(MessageType::crc));
    checked.u32(checksum(bytes));
  }
  checked.put(bytes);

  base::Writer head;
  if (!options.label.empty()) {
    head.u8(type_byte(MessageType::label));
    head.u8(static_cast<std::uint8_t>(options.label.size()));
    head.put(base::as_bytes(options.label));
  }
  Bytes datagram = std::move(head).take();
  if (encrypts(options, keyring))
    keyring.seal(checked.bytes(), base::as_bytes(options.label), nonces(), datagram);
  else
    datagram.insert(datagram.end(), checked.bytes().begin(), checked.bytes().end());
  return datagram;
}

}  // namespace

OpenedPacket open_packet(ByteView datagram, const WireOptions& options, const Keyring& keyring) {
  OpenedPacket result;
  Bytes plain;
  Decoded<ByteView> bytes = without_label(datagram, options.label);
  if (bytes.has_value()) bytes = decrypted(*bytes, options, keyring, plain);
  if (bytes.has_value()) bytes = without_crc(*bytes);
  if (bytes.has_error())
    result.dropped.add(bytes.error());
  else
    Unwrapper(result).unwrap(*bytes, 0);
  return result;
}

std::size_t packet_room(bool with_crc, const WireOptions& options, const Keyring& keyring,
                        std::size_t budget) {
  std::size_t taken = options.label.empty() ? 0 : kLabelHeadOctets + options.label.size();
  if (with_crc) taken += kCrcOctets;
  if (encrypts(options, keyring)) taken += kSealOctets;
  return budget > taken ? budget - taken : 0;
}

SealedPackets seal_packet(std::span<const MessagePtr> messages, bool with_crc,
                          const WireOptions& options, const Keyring& keyring,
                          const NonceSource& nonces, std::size_t budget) {
  const std::size_t room = packet_room(with_crc, options, keyring, budget);
  const std::size_t most = packet_room(with_crc, options, keyring, kMaxPacketOctets);
  SealedPackets result;
  std::vector<MessagePtr> batch;
  std::size_t batch_octets = kCompoundOctets;
  const auto flush = [&] {
    if (!batch.empty())
      result.datagrams.push_back(wrap(join(batch), with_crc, options, keyring, nonces));
    batch.clear();
    batch_octets = kCompoundOctets;
  };
  for (const MessagePtr& message : messages) {
    const std::size_t octets = encoded_octets(*message);
    if (octets > most) {
      ++result.too_large;
      continue;
    }
    if (batch.size() == kMaxParts || batch_octets + kCompoundPartOctets + octets > room) flush();
    batch.push_back(message);
    batch_octets += kCompoundPartOctets + octets;
  }
  flush();
  return result;
}

}  // namespace viaduct::gossip
