#include "base/siphash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace viaduct::base {
namespace {

std::uint64_t little_endian(ByteView bytes) {
  std::uint64_t word = 0;
  if (bytes.size() == sizeof(word) && std::endian::native == std::endian::little) {
    std::memcpy(&word, bytes.data(), sizeof(word));
    return word;
  }
  for (std::size_t i = 0; i < bytes.size(); i++) word |= std::uint64_t{bytes[i]} << (8 * i);
  return word;
}

struct State {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
};

}  // namespace

std::uint64_t siphash(const HashKey& key, ByteView bytes) {
  State state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573};
  const std::uint64_t length = bytes.size();
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) state.take(little_endian(bytes.first(8)));
  state.take(length << 56 | little_endian(bytes));
  state.c ^= 0xff;
  for (int i = 0; i < 4; i++) state.round();
  return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace viaduct::base
