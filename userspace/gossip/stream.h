#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "gossip/errors.h"
#include "gossip/keyring.h"
#include "gossip/message.h"
#include "gossip/message_type.h"
#include "gossip/msgpack.h"
#include "gossip/wire.h"

namespace viaduct::gossip {

/// Who opened a stream. Only the dialler's half begins with the label.
enum class StreamSide : std::uint8_t { dialler, acceptor };

/// What a dialler writes before its first message: the label, if there is one.
base::Bytes stream_head(const WireOptions& options);

/// A message as it is written on a stream, in all its layers.
/// @param nonces  asked once if it is encrypted.
/// @errors too_large: over kMaxStreamOctets, no peer would read it
Decoded<base::Bytes> seal_stream(const StreamMessage& message, const WireOptions& options,
                                 const Keyring& keyring, const NonceSource& nonces);

/// Reads messages from a stream, fed as its octets come. Holds only what has come, looks at each
/// octet a fixed number of times however they are cut, and stops at the first octets that tell of
/// something unreadable or over a limit.
class StreamReader {
 public:
  /// @param from  whose half of the stream this is.
  /// @param options, keyring  outlive the reader; changes count from the next message on.
  StreamReader(StreamSide from, const WireOptions& options, const Keyring& keyring)
      : options_(options), keyring_(keyring), expects_label_(from == StreamSide::dialler) {}

  void feed(base::ByteView bytes);
  /// The next message; absent: more octets are needed. After an error, always that error.
  std::optional<Decoded<StreamMessage>> next();

  /// Whether no part of a further message is here.
  bool idle() const { return !error_ && begin_ == bytes_.size(); }
  /// Octets held.
  std::size_t held() const { return bytes_.size(); }
  /// Members of push-pulls that were left out of them since the last call.
  ErrcCounts take_dropped() { return std::exchange(dropped_, {}); }

 private:
  enum class Stage : std::uint8_t { type, frame_head, header, objects, octets };

  base::ByteView ahead() const { return base::ByteView(bytes_).subspan(at_); }
  Decoded<bool> pass_label();
  Decoded<bool> pass_message();
  Decoded<bool> begin_message();
  Decoded<bool> pass_frame_head();
  Decoded<bool> pass_object(std::size_t max);
  Decoded<bool> pass_header();
  Decoded<bool> pass_objects();
  Decoded<StreamMessage> take_message();
  void forget_taken();

  const WireOptions& options_;
  const Keyring& keyring_;
  bool expects_label_;

  base::Bytes bytes_;
  std::size_t begin_ = 0;  ///< of the message that is being read
  std::size_t at_ = 0;     ///< all before it was looked at
  Stage stage_ = Stage::type;
  MessageType type_ = MessageType::ping;
  MsgpackScanner object_;         ///< finds the end of the current map
  std::size_t object_begin_ = 0;  ///< where that began
  std::size_t objects_left_ = 0;  ///< that have not ended
  std::size_t octets_left_ = 0;   ///< behind the objects
  std::optional<Errc> error_;
  ErrcCounts dropped_;
};

}  // namespace viaduct::gossip
