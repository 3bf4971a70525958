#include "gossip/lzw.h"

#include <gmock/gmock.h>

#include <string>

#include "base/rng.h"
#include "tests/unit/gossip/memory.h"
#include "tests/unit/gossip/samples.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;

Bytes random_bytes(base::Rng& rng, std::size_t octets, std::size_t symbols) {
  Bytes bytes(octets);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.below(symbols));
  return bytes;
}

/// Codes of 9 bits, least significant bit first.
Bytes codes(std::initializer_list<unsigned> list) {
  Bytes bytes;
  unsigned held = 0, count = 0;
  for (const unsigned code : list) {
    held |= code << count;
    for (count += 9; count >= 8; count -= 8, held >>= 8) bytes.push_back(held & 0xff);
  }
  if (count > 0) bytes.push_back(held & 0xff);
  return bytes;
}

TEST(Lzw, WritesWhatGoWrites) {
  const auto compressed = [](std::string_view text) {
    return test::to_hex(lzw_compress(base::as_bytes(text)));
  };
  EXPECT_EQ(compressed(""), test::to_hex(codes({256, 257})));
  EXPECT_EQ(compressed("a"), test::to_hex(codes({256, 'a', 257})));
  EXPECT_EQ(compressed("aaaaaa"), test::to_hex(codes({256, 'a', 258, 259, 257})));
  EXPECT_EQ(compressed("abcabcd"), test::to_hex(codes({256, 'a', 'b', 'c', 258, 'c', 'd', 257})));
}

TEST(Lzw, ReadsWhatItWrites) {
  base::Rng rng(1);
  for (const std::size_t symbols : {1, 2, 3, 16, 256}) {
    for (std::size_t octets = 0; octets < 40'000; octets += 1 + octets / 3 + rng.below(7)) {
      const Bytes plain = random_bytes(rng, octets, symbols);
      const auto read = lzw_expand(lzw_compress(plain), octets);
      ASSERT_TRUE(read.has_value()) << octets << " of " << symbols;
      ASSERT_EQ(*read, plain) << octets << " of " << symbols;
    }
  }
}

TEST(Lzw, TheClearCodeAtTheBeginMayBeMissing) {
  EXPECT_EQ(lzw_expand(codes({'a', 'b', 258, 257}), 9).value(), (Bytes{'a', 'b', 'a', 'b'}));
}

TEST(Lzw, ReadersThatNeverClearGoOnWithAFullTable) {
  // All codes are defined by literals; their widths grow with the number of codes.
  Bytes bytes;
  std::uint64_t held = 0;
  unsigned count = 0, width = 9, sent = 0;
  const auto put = [&](unsigned code) {
    held |= std::uint64_t{code} << count;
    for (count += width; count >= 8; count -= 8, held >>= 8)
      bytes.push_back(static_cast<std::uint8_t>(held));
    if (++sent + 257 == 1U << width && width < 12) ++width;
  };
  for (int i = 0; i < 5000; ++i) put('a' + static_cast<unsigned>(i) % 7);
  put(4095);
  put(257);
  bytes.push_back(static_cast<std::uint8_t>(held));
  const auto plain = lzw_expand(bytes, 10'000);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->size(), 5002U) << "the last code stands for two octets";
}

TEST(Lzw, NonsenseIsMalformed) {
  EXPECT_EQ(lzw_expand(codes({256, 300, 257}), 99).error(), Errc::malformed);
  EXPECT_EQ(lzw_expand(codes({256, 258, 257}), 99).error(), Errc::malformed)
      << "nothing defines the first code";
  EXPECT_EQ(lzw_expand(codes({256, 'a', 260, 257}), 99).error(), Errc::malformed);
}

TEST(Lzw, WhatHasNoEndIsTruncated) {
  EXPECT_EQ(lzw_expand({}, 99).error(), Errc::truncated);
  const Bytes whole = lzw_compress(base::as_bytes("hello, hello, hello"));
  for (std::size_t octets = 0; octets < whole.size() - 1; ++octets)
    EXPECT_EQ(lzw_expand(base::ByteView(whole).first(octets), 99).error(), Errc::truncated);
}

TEST(Lzw, ABombStopsAtTheLimit) {
  const Bytes bomb = lzw_compress(Bytes(42'000'000, 0));
  EXPECT_LT(bomb.size(), 40'000U);
  for (const std::size_t max : {0U, 1U, 65'535U, 1'000'000U}) {
    const std::size_t peak =
        test::peak_octets([&] { EXPECT_EQ(lzw_expand(bomb, max).error(), Errc::too_large); });
    EXPECT_LT(peak, 2 * max + 4096);
  }
}

}  // namespace
}  // namespace viaduct::gossip
