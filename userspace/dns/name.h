#pragma once

#include <viaduct/abi/dns.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace viaduct::dns {

/// Longest name in wire form, the root's octet included (RFC 1035, 2.3.4).
inline constexpr std::size_t kMaxNameOctets = 255;
inline constexpr std::size_t kMaxLabelOctets = 63;
/// Labels of the longest name, the root left out.
inline constexpr std::size_t kMaxLabels = 127;

/// A name in wire form: length octets and labels, the root last, no compression. Any octet may
/// occur in a label.
class Name {
 public:
  /// The root.
  Name() : wire_(1, '\0') {}

  /// Reads dotted text; one final dot is allowed, "." is the root. Every octet but the dot stands
  /// for itself.
  /// @errors base::Errc::bad_format for an empty label, too_large for a label or a name over its
  /// limit.
  static base::Result<Name> parse(std::string_view text);

  /// @param wire  a valid wire name.
  static Name from_wire(std::span<const std::uint8_t> wire);

  /// This name with another one behind it.
  /// @errors base::Errc::too_large.
  base::Result<Name> under(const Name& suffix) const;

  /// All octets, the root's included.
  std::span<const std::uint8_t> wire() const {
    return {reinterpret_cast<const std::uint8_t*>(wire_.data()), wire_.size()};
  }
  std::size_t size() const { return wire_.size(); }
  std::size_t label_count() const;

  /// ASCII letters in lower case (RFC 4343, 3).
  Name folded() const;
  /// Without the first label; the root's parent is the root.
  Name parent() const;
  bool is_root() const { return wire_.size() == 1; }
  /// Whether this is `apex` or below it, without regard to case.
  bool is_within(const Name& apex) const;

  /// Presentation form with the final dot; octets that are not printable and `.`, `\`, `"` inside a
  /// label are escaped (RFC 1035, 5.1).
  std::string to_text() const;

  auto operator<=>(const Name&) const = default;
  bool operator==(const Name&) const = default;

 private:
  std::string wire_;
};

/// Eight octets with their ASCII capitals in lower case. Length octets are below 'A' and stay as
/// they are, so a wire name folds without regard to its labels.
constexpr std::uint64_t fold_word(std::uint64_t word) {
  constexpr std::uint64_t kTopBits = 0x8080808080808080;
  const std::uint64_t low = word & ~kTopBits;
  const std::uint64_t from_a = low + 0x3f3f3f3f3f3f3f3f;   // top bit set from 'A' on
  const std::uint64_t after_z = low + 0x2525252525252525;  // top bit set after 'Z'
  return word | ((from_a & ~after_z & ~word & kTopBits) >> 2);
}

/// A folded wire name in fixed storage, as it is hashed and compared per query: no allocation.
class FoldedName {
 public:
  /// Most octets that replacing an alias suffix may add.
  static constexpr std::size_t kMaxGrowth = 24;

  /// @param wire  a valid wire name.
  explicit FoldedName(std::span<const std::uint8_t> wire) : size_(wire.size()) {
    const std::size_t words = word_count();
    words_[words - 1] = 0;
    std::memcpy(words_.data(), wire.data(), size_);
    for (std::size_t i = 0; i < words; ++i) words_[i] = fold_word(words_[i]);
  }

  std::span<const std::uint8_t> wire() const {
    return {reinterpret_cast<const std::uint8_t*>(words_.data()), size_};
  }

  /// Replaces everything from `offset` on.
  /// @param suffix  folded, at most kMaxGrowth octets longer than what it replaces.
  void replace_suffix(std::size_t offset, std::span<const std::uint8_t> suffix) {
    size_ = offset + suffix.size();
    auto* octets = reinterpret_cast<std::uint8_t*>(words_.data());
    std::memcpy(octets + offset, suffix.data(), suffix.size());
    std::memset(octets + size_, 0, word_count() * 8 - size_);
  }

  /// As <viaduct/abi/dns.h> says: equal for equal names and seeds; one multiplication a word.
  std::uint64_t hash(std::uint64_t seed) const {
    std::uint64_t state = seed ^ size_;
    for (std::size_t i = 0; i < word_count(); ++i) {
      state = (state ^ words_[i]) * VD_DNS_HASH_FACTOR;
      state ^= state >> 32;
    }
    return state;
  }

 private:
  std::size_t word_count() const { return (size_ + 7) / 8; }

  // Octets behind the name up to the next word are zero; what follows is never read.
  std::array<std::uint64_t, (kMaxNameOctets + kMaxGrowth + 8) / 8> words_;
  std::size_t size_;
};

}  // namespace viaduct::dns
