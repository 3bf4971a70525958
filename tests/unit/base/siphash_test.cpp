#include "base/siphash.h"

#include <gtest/gtest.h>

#include <numeric>

namespace viaduct::base {
namespace {

/// The key of the reference vectors: octets 0 to 15.
constexpr HashKey kKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

TEST(SipHash, MatchesTheReferenceVectors) {
  Bytes message(64);
  std::iota(message.begin(), message.end(), std::uint8_t{0});
  const auto first = [&](std::size_t length) { return ByteView(message).first(length); };
  EXPECT_EQ(siphash(kKey, first(0)), 0x726fdb47dd0e0e31);
  EXPECT_EQ(siphash(kKey, first(1)), 0x74f839c593dc67fd);
  EXPECT_EQ(siphash(kKey, first(7)), 0xab0200f58b01d137);
  EXPECT_EQ(siphash(kKey, first(8)), 0x93f5f5799a932462);
  EXPECT_EQ(siphash(kKey, first(15)), 0xa129ca6149be45e5);
  EXPECT_EQ(siphash(kKey, first(63)), 0x958a324ceb064572);
}

TEST(SipHash, DependsOnTheKey) {
  const Bytes message = {1, 2, 3};
  EXPECT_NE(siphash(kKey, message), siphash({kKey[1], kKey[0]}, message));
}

}  // namespace
}  // namespace viaduct::base
