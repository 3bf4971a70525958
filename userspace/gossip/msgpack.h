#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "gossip/errors.h"

namespace viaduct::gossip {

/// The first octets of a msgpack value: its kind, and how much belongs to it.
struct MsgpackHead {
  enum class Kind : std::uint8_t {
    nil,
    boolean,
    natural,
    negative,
    real,
    raw,
    array,
    map,
    extension
  };

  Kind kind = Kind::nil;
  std::uint8_t octets = 0;  ///< length of the head itself
  std::uint64_t value =
      0;  ///< a boolean's or natural's value; values that follow in an array or map
  std::uint64_t length = 0;  ///< octets that follow and belong to it
};

/// Reads the head at the begin of `bytes`.
/// @errors truncated: `bytes` end within it; malformed: no value begins so.
Decoded<MsgpackHead> msgpack_head(base::ByteView bytes);

/// Reads msgpack values one by one as peers of any age write them: text and octets as raw, str or
/// bin, integers of every width. Never recurses and never allocates; its first error sticks.
class MsgpackReader {
 public:
  explicit MsgpackReader(base::ByteView bytes) : rest_(bytes) {}

  bool failed() const { return error_.has_value(); }
  /// Only after failed().
  Errc error() const { return *error_; }
  void fail(Errc error) {
    if (!error_) error_ = error;
    rest_ = {};
  }
  /// What was not read yet.
  base::ByteView rest() const { return rest_; }

  /// nil is 0.
  std::uint64_t natural(std::uint64_t max);
  /// nil is false.
  bool boolean();
  /// Text or octets; nil is empty.
  /// @return a view into the message.
  base::ByteView raw(std::size_t max);
  /// Octets that have no head of their own.
  base::ByteView take(std::size_t length);
  /// Passes over one value and all that it holds.
  void skip();

  /// Reads the fields of a struct: a map with their names, an array in the order of `names`, or
  /// nil. Calls `read(i)`, which reads one value, for each field that is there and known; passes
  /// over others.
  template <class Names, class Read>
  void fields(const Names& names, Read&& read) {
    const MsgpackHead all = head();
    if (all.kind == MsgpackHead::Kind::nil) return;
    const bool named = all.kind == MsgpackHead::Kind::map;
    if (!named && all.kind != MsgpackHead::Kind::array) return fail(Errc::malformed);
    const std::uint64_t count = named ? all.value / 2 : all.value;
    for (std::uint64_t i = 0; i < count && !failed(); ++i) {
      std::size_t field = i < names.size() ? static_cast<std::size_t>(i) : names.size();
      if (named) {
        const std::string_view name = base::as_text(raw(rest_.size()));
        for (field = 0; field < names.size() && names[field] != name;) ++field;
      }
      if (failed()) return;
      if (field < names.size())
        read(field);
      else
        skip();
    }
  }

 private:
  MsgpackHead head();

  base::ByteView rest_;
  std::optional<Errc> error_;
};

/// Finds the end of a msgpack value that comes in pieces. Holds nothing of it, and looks at each
/// octet once.
class MsgpackScanner {
 public:
  /// @param bytes  what follows behind all that was consumed so far.
  /// @return octets that are consumed; fewer than there are only when the value is whole, or the
  ///     rest is a part of a head, which must be there again next time.
  /// @errors malformed
  Decoded<std::size_t> advance(base::ByteView bytes);

  bool whole() const { return values_ == 0 && octets_ == 0; }
  /// Octets that are known to follow.
  std::uint64_t expected() const { return octets_ + values_; }

 private:
  std::uint64_t values_ = 1;  ///< that have not begun
  std::uint64_t octets_ = 0;  ///< of the current value that are to come
};

/// Writes msgpack's old raw dialect, which every memberlist reads: no str8, no bin.
/// @tparam Sink  has base::Writer's u8(), u16(), u32(), u64() and put().
template <class Sink>
class MsgpackWriter {
 public:
  explicit MsgpackWriter(Sink& sink) : sink_(sink) {}

  /// At most 15 pairs.
  void map(std::size_t pairs) { sink_.u8(static_cast<std::uint8_t>(0x80 | pairs)); }
  void nil() { sink_.u8(0xc0); }
  void boolean(bool value) { sink_.u8(value ? 0xc3 : 0xc2); }
  void natural(std::uint64_t value) {
    if (value < 0x80) {
      sink_.u8(static_cast<std::uint8_t>(value));
    } else if (value <= UINT8_MAX) {
      sink_.u8(0xcc);
      sink_.u8(static_cast<std::uint8_t>(value));
    } else if (value <= UINT16_MAX) {
      sink_.u8(0xcd);
      sink_.u16(static_cast<std::uint16_t>(value));
    } else if (value <= UINT32_MAX) {
      sink_.u8(0xce);
      sink_.u32(static_cast<std::uint32_t>(value));
    } else {
      sink_.u8(0xcf);
      sink_.u64(value);
    }
  }
  void raw(base::ByteView bytes) {
    if (bytes.size() < 32) {
      sink_.u8(static_cast<std::uint8_t>(0xa0 | bytes.size()));
    } else if (bytes.size() <= UINT16_MAX) {
      sink_.u8(0xda);
      sink_.u16(static_cast<std::uint16_t>(bytes.size()));
    } else {
      sink_.u8(0xdb);
      sink_.u32(static_cast<std::uint32_t>(bytes.size()));
    }
    sink_.put(bytes);
  }
  void text(std::string_view text) { raw(base::as_bytes(text)); }
  /// As Go writes a slice that was never filled: nil when there is nothing.
  void raw_or_nil(base::ByteView bytes) {
    if (bytes.empty())
      nil();
    else
      raw(bytes);
  }

 private:
  Sink& sink_;
};

}  // namespace viaduct::gossip
