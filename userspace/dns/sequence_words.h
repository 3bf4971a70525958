#pragma once

#include <linux/types.h>

#include <cstddef>
#include <cstdint>

namespace viaduct::dns {

// What lies under a sequence lock is read and written word by word, each atomically, since readers
// and the writer may meet. Reads acquire and writes release, so no word is seen from after the
// sequence number that is read last. std::atomic_ref would forget that a word may be part of a
// struct.

using Word = __u64 __attribute__((may_alias));
inline __u64 load(const Word& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
inline void store(Word& word, __u64 value) { __atomic_store_n(&word, value, __ATOMIC_RELEASE); }

/// The number in the lower half of the first word; odd: being written.
inline std::uint32_t sequence_of(__u64 first_word) {
  return static_cast<std::uint32_t>(first_word);
}

/// Replaces all but the sequence number, which goes up by two. There is one writer.
inline void write_words(Word* to, const Word* from, std::size_t count) {
  const std::uint32_t sequence = sequence_of(to[0]);
  const __u64 upper = from[0] >> 32 << 32;
  store(to[0], upper | (sequence + 1U));
  for (std::size_t i = 1; i < count; ++i) store(to[i], from[i]);
  store(to[0], upper | (sequence + 2U));
}

}  // namespace viaduct::dns
