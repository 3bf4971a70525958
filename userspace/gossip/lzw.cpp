#include "gossip/lzw.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace viaduct::gossip {
namespace {

using base::Bytes;
using base::ByteView;

constexpr unsigned kClear = 256, kEnd = 257, kFirstCode = 258;
constexpr unsigned kMinBits = 9, kMaxBits = 12;
constexpr unsigned kCodes = 1U << kMaxBits;

class BitWriter {
 public:
  explicit BitWriter(Bytes& out) : out_(out) {}
  void put(unsigned code, unsigned bits) {
    held_ |= std::uint32_t{code} << count_;
    for (count_ += bits; count_ >= 8; count_ -= 8, held_ >>= 8)
      out_.push_back(static_cast<std::uint8_t>(held_));
  }
  void flush() {
    if (count_ > 0) out_.push_back(static_cast<std::uint8_t>(held_));
  }

 private:
  Bytes& out_;
  std::uint32_t held_ = 0;
  unsigned count_ = 0;
};

/// The codes of strings: (code of all but the last octet, last octet) -> code.
class StringTable {
 public:
  StringTable() { clear(); }
  void clear() { slots_.fill(0); }
  /// @return 0: absent.
  unsigned find(unsigned prefix, std::uint8_t last) const {
    const std::uint32_t key = make_key(prefix, last);
    for (std::size_t at = slot(key);; at = (at + 1) % kSlots) {
      if (slots_[at] == 0) return 0;
      if (slots_[at] >> kMaxBits == key) return slots_[at] & (kCodes - 1);
    }
  }
  void add(unsigned prefix, std::uint8_t last, unsigned code) {
    const std::uint32_t key = make_key(prefix, last);
    std::size_t at = slot(key);
    while (slots_[at] != 0) at = (at + 1) % kSlots;
    slots_[at] = key << kMaxBits | code;
  }

 private:
  static constexpr std::size_t kSlots = 4 * kCodes;
  static std::uint32_t make_key(unsigned prefix, std::uint8_t last) { return prefix << 8 | last; }
  /// Multiplicative hashing; a key has 20 bits.
  static std::size_t slot(std::uint32_t key) { return (key * 0x9e3779b1U >> 18) % kSlots; }

  std::array<std::uint32_t, kSlots> slots_;  // key and code; 0: free, for no code is 0
};

}  // namespace

Bytes lzw_compress(ByteView plain) {
  Bytes out;
  BitWriter bits(out);
  StringTable strings;
  unsigned width = kMinBits;
  unsigned last_code = kEnd;  // the largest that the reader knows after the next one it reads

  bits.put(kClear, width);
  // Both sides count a code for each that is sent, and so agree on the width of the next.
  const auto count_one = [&] {
    if (++last_code == 1U << width) ++width;
    if (last_code < kCodes - 1) return true;
    bits.put(kClear, width);
    strings.clear();
    width = kMinBits;
    last_code = kEnd;
    return false;
  };
  if (!plain.empty()) {
    unsigned code = plain[0];
    for (const std::uint8_t octet : plain.subspan(1)) {
      if (const unsigned longer = strings.find(code, octet)) {
        code = longer;
        continue;
      }
      bits.put(code, width);
      if (count_one()) strings.add(code, octet, last_code);
      code = octet;
    }
    bits.put(code, width);
    count_one();
  }
  bits.put(kEnd, width);
  bits.flush();
  return out;
}

Decoded<Bytes> lzw_expand(ByteView compressed, std::size_t max) {
  constexpr unsigned kNone = kCodes;
  // Of each code: the code of all but the last octet, that octet, the first one, and the length.
  std::array<std::uint16_t, kCodes> prefix, length;
  std::array<std::uint8_t, kCodes> last, first;
  for (unsigned code = 0; code < kClear; ++code) {
    last[code] = first[code] = static_cast<std::uint8_t>(code);
    length[code] = 1;
  }

  Bytes out;
  std::uint32_t held = 0;
  unsigned count = 0;
  unsigned width = kMinBits;
  unsigned next = kFirstCode;  // the code that is defined next
  unsigned before = kNone;     // the code read before, if any since the last clear
  std::size_t at = 0;
  while (true) {
    for (; count < width; count += 8) {
      if (at == compressed.size()) return Errc::truncated;
      held |= std::uint32_t{compressed[at++]} << count;
    }
    const unsigned code = held & ((1U << width) - 1);
    held >>= width;
    count -= width;

    if (code == kEnd) return out;
    if (code == kClear) {
      width = kMinBits;
      next = kFirstCode;
      before = kNone;
      continue;
    }
    const bool defines = before != kNone && next < kCodes;
    if (code > next || (code == next && !defines)) return Errc::malformed;
    if (defines) {
      prefix[next] = static_cast<std::uint16_t>(before);
      first[next] = first[before];
      length[next] = static_cast<std::uint16_t>(length[before] + 1);
      // The code may be the one that is just being defined: then it ends in its own first octet.
      last[next] = code == next ? first[before] : first[code];
      ++next;
    }
    if (length[code] > max - out.size()) return Errc::too_large;
    if (out.capacity() - out.size() < length[code])
      out.reserve(
          std::min(max, std::max(2 * out.capacity(), 2 * compressed.size() + length[code])));
    out.resize(out.size() + length[code]);
    auto write = out.rbegin();
    unsigned link = code;
    for (unsigned left = length[code]; left > 1; --left, link = prefix[link]) *write++ = last[link];
    *write = last[link];
    before = code;
    if (next >= 1U << width && width < kMaxBits) ++width;
  }
}

}  // namespace viaduct::gossip
