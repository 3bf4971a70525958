#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct::base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads a message from front to back within its bounds. What does not fit gives zeros or nothing
/// and makes the reader fail for good, so that a decoder reads every field and asks once.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  bool failed() const { return failed_; }
  /// Whether all was read and nothing failed.
  bool done() const { return !failed_ && rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }
  /// What was not read yet.
  ByteView rest() const { return rest_; }
  void fail() {
    failed_ = true;
    rest_ = {};
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64() { return big_endian(8); }

  /// Unsigned LEB128: 7 bits a byte, least significant first, at most 10 bytes, and no longer than
  /// the value needs.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      if (failed_ || (shift == 63 && byte > 1) || (shift > 0 && byte == 0)) break;
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }

  /// @return a view into the message, empty when it does not have `length` bytes.
  ByteView take(std::size_t length) {
    if (failed_ || length > rest_.size()) {
      fail();
      return {};
    }
    const ByteView taken = rest_.first(length);
    rest_ = rest_.subspan(length);
    return taken;
  }
  /// A varint length and as many bytes.
  /// @param max  a longer one fails.
  ByteView counted(std::size_t max) {
    const std::uint64_t length = varint();
    if (length > max) fail();
    return take(static_cast<std::size_t>(failed_ ? 0 : length));
  }

 private:
  std::uint64_t big_endian(std::size_t length) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : take(length)) value = value << 8 | byte;
    return value;
  }

  ByteView rest_;
  bool failed_ = false;
};

/// Writes what Reader reads, at the end of a buffer of its own.
class Writer {
 public:
  const Bytes& bytes() const { return bytes_; }
  Bytes take() && { return std::move(bytes_); }
  std::size_t size() const { return bytes_.size(); }

  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void u16(std::uint16_t value) { big_endian(value, 2); }
  void u32(std::uint32_t value) { big_endian(value, 4); }
  void u64(std::uint64_t value) { big_endian(value, 8); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) u8(static_cast<std::uint8_t>(value | 0x80));
    u8(static_cast<std::uint8_t>(value));
  }
  void put(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void counted(ByteView bytes) {
    varint(bytes.size());
    put(bytes);
  }

 private:
  void big_endian(std::uint64_t value, int length) {
    for (int shift = 8 * (length - 1); shift >= 0; shift -= 8)
      u8(static_cast<std::uint8_t>(value >> shift));
  }

  Bytes bytes_;
};

}  // namespace viaduct::base
