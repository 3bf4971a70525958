#include "gossip/stream.h"

#include <array>
#include <utility>

#include "gossip/decode.h"
#include "gossip/encode.h"
#include "gossip/limits.h"
#include "gossip/lzw.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using base::ByteView;

constexpr std::size_t kFrameHeadOctets = 5;  // type and length
/// A buffer this large is kept for the next message.
constexpr std::size_t kKeptOctets = 64U << 10;

std::uint8_t type_byte(MessageType type) { return static_cast<std::uint8_t>(type); }

/// What a sealed frame is bound to: its head and the label.
Bytes frame_bound(ByteView head, const std::string& label) {
  Bytes bound(head.begin(), head.end());
  bound.insert(bound.end(), label.begin(), label.end());
  return bound;
}

/// Reads what is within the encryption, or was never encrypted.
Decoded<StreamMessage> read_plain(ByteView bytes, ErrcCounts& dropped) {
  if (bytes.empty()) return Errc::truncated;
  if (bytes[0] != type_byte(MessageType::compress)) return decode_stream_message(bytes, dropped);
  const auto compressed = decode_compressed(bytes.subspan(1));
  if (compressed.has_error()) return compressed.error();
  const auto plain = lzw_expand(*compressed, kMaxStreamOctets);
  if (plain.has_error()) return plain.error();
  return decode_stream_message(*plain, dropped);
}

}  // namespace

Bytes stream_head(const WireOptions& options) {
  base::Writer head;
  if (!options.label.empty()) {
    head.u8(type_byte(MessageType::label));
    head.u8(static_cast<std::uint8_t>(options.label.size()));
    head.put(base::as_bytes(options.label));
  }
  return std::move(head).take();
}

Decoded<Bytes> seal_stream(const StreamMessage& message, const WireOptions& options,
                           const Keyring& keyring, const NonceSource& nonces) {
  Bytes bytes;
  encode(message, bytes);
  if (bytes.size() > kMaxStreamOctets) return Errc::too_large;
  if (options.compress) {
    Bytes layer;
    encode_compressed(lzw_compress(bytes), layer);
    bytes = std::move(layer);
  }
  if (bytes.size() + kSealOctets > kMaxStreamOctets) return Errc::too_large;
  if (keyring.empty() || !options.verify_outgoing) return bytes;

  base::Writer head;
  head.u8(type_byte(MessageType::encrypt));
  head.u32(static_cast<std::uint32_t>(bytes.size() + kSealOctets));
  Bytes frame = std::move(head).take();
  keyring.seal(bytes, frame_bound(frame, options.label), nonces(), frame);
  return frame;
}

void StreamReader::feed(ByteView bytes) {
  if (error_) return;
  forget_taken();
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

/// Moves what is not taken to the begin of the buffer, when that is the smaller part.
void StreamReader::forget_taken() {
  if (begin_ == bytes_.size() && bytes_.capacity() > kKeptOctets) {
    bytes_ = {};
  } else if (begin_ < bytes_.size() - begin_) {
    return;
  } else {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
  }
  at_ -= begin_;
  object_begin_ -= begin_;
  begin_ = 0;
}

std::optional<Decoded<StreamMessage>> StreamReader::next() {
  if (error_) return *error_;
  Decoded<bool> whole = expects_label_ ? pass_label() : true;
  if (whole.has_value() && *whole) whole = pass_message();
  if (whole.has_value() && !*whole) {
    if (at_ - begin_ <= kMaxStreamOctets) return std::nullopt;
    whole = Errc::too_large;
  }
  Decoded<StreamMessage> message = whole.has_error() ? whole.error() : take_message();
  if (message.has_error()) {
    error_ = message.error();
    bytes_ = {};
  }
  return message;
}

// The functions that pass over something say whether it has come as a whole.

Decoded<bool> StreamReader::pass_label() {
  const ByteView bytes = ahead();
  if (bytes.empty()) return false;
  if (bytes[0] != type_byte(MessageType::label)) {
    if (!options_.label.empty()) return Errc::wrong_label;
    expects_label_ = false;
    return true;
  }
  if (options_.label.empty()) return Errc::wrong_label;
  base::Reader in(bytes.subspan(1));
  const std::size_t octets = in.u8();
  if (!in.failed() && octets != options_.label.size()) return Errc::wrong_label;
  const ByteView label = in.take(octets);
  if (in.failed()) return false;
  if (base::as_text(label) != options_.label) return Errc::wrong_label;
  at_ = begin_ = bytes_.size() - in.remaining();
  expects_label_ = false;
  return true;
}

Decoded<bool> StreamReader::pass_message() {
  Decoded<bool> passed = true;
  while (passed.has_value() && *passed) {
    switch (stage_) {
      case Stage::type:
        passed = begin_message();
        break;
      case Stage::frame_head:
        passed = pass_frame_head();
        break;
      case Stage::header:
        passed = pass_header();
        break;
      case Stage::objects:
        passed = pass_objects();
        break;
      case Stage::octets:
        if (ahead().size() < octets_left_) return false;
        at_ += octets_left_;
        return true;
    }
  }
  return passed;
}

Decoded<bool> StreamReader::begin_message() {
  if (ahead().empty()) return false;
  type_ = static_cast<MessageType>(ahead()[0]);
  if (type_ == MessageType::encrypt) {
    if (keyring_.empty()) return Errc::wrong_key;
    stage_ = Stage::frame_head;
    return true;
  }
  if (!keyring_.empty() && options_.verify_incoming) return Errc::not_encrypted;
  ++at_;
  object_ = {};
  object_begin_ = at_;
  objects_left_ = 1;
  octets_left_ = 0;
  switch (type_) {
    case MessageType::ping:
    case MessageType::ack:
    case MessageType::refusal:
    case MessageType::compress:
      stage_ = Stage::objects;
      return true;
    case MessageType::push_pull:
    case MessageType::user:
      stage_ = Stage::header;
      return true;
    case MessageType::indirect_ping:
    case MessageType::suspect:
    case MessageType::alive:
    case MessageType::dead:
    case MessageType::compound:
    case MessageType::encrypt:
    case MessageType::nack:
    case MessageType::crc:
    case MessageType::label:
      return Errc::unexpected;
  }
  return Errc::unknown_type;
}

Decoded<bool> StreamReader::pass_frame_head() {
  base::Reader in(ahead());
  in.u8();
  const std::size_t octets = in.u32();
  if (in.failed()) return false;
  if (octets < kSealOctets) return Errc::truncated;
  if (octets > kMaxStreamOctets) return Errc::too_large;
  at_ += kFrameHeadOctets;
  octets_left_ = octets;
  stage_ = Stage::octets;
  return true;
}

Decoded<bool> StreamReader::pass_object(std::size_t max) {
  const auto passed = object_.advance(ahead());
  if (passed.has_error()) return passed.error();
  at_ += *passed;
  if (at_ - object_begin_ + object_.expected() > max) return Errc::too_large;
  return object_.whole();
}

Decoded<bool> StreamReader::pass_header() {
  const Decoded<bool> passed = pass_object(kMaxStreamObjectOctets);
  if (passed.has_error() || !*passed) return passed;
  const ByteView header = ByteView(bytes_).subspan(object_begin_, at_ - object_begin_);
  if (type_ == MessageType::user) {
    const auto octets = decode_user_header(header);
    if (octets.has_error()) return octets.error();
    objects_left_ = 0;
    octets_left_ = *octets;
  } else {
    const auto counts = decode_push_pull_header(header);
    if (counts.has_error()) return counts.error();
    objects_left_ = counts->members;
    octets_left_ = counts->user_state_octets;
  }
  object_ = {};
  object_begin_ = at_;
  stage_ = Stage::objects;
  return true;
}

Decoded<bool> StreamReader::pass_objects() {
  const std::size_t max =
      type_ == MessageType::compress ? kMaxStreamOctets : kMaxStreamObjectOctets;
  for (; objects_left_ > 0; --objects_left_) {
    const Decoded<bool> passed = pass_object(max);
    if (passed.has_error() || !*passed) return passed;
    object_ = {};
    object_begin_ = at_;
  }
  stage_ = Stage::octets;
  return true;
}

Decoded<StreamMessage> StreamReader::take_message() {
  const ByteView bytes = ByteView(bytes_).subspan(begin_, at_ - begin_);
  begin_ = at_;
  stage_ = Stage::type;
  if (type_ != MessageType::encrypt) return read_plain(bytes, dropped_);
  const ByteView head = bytes.first(kFrameHeadOctets);
  const auto plain =
      keyring_.open(bytes.subspan(kFrameHeadOctets), frame_bound(head, options_.label));
  if (plain.has_error()) return plain.error();
  return read_plain(*plain, dropped_);
}

}  // namespace viaduct::gossip
