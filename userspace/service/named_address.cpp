#include "service/named_address.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/siphash.h"
#include "service/address_number.h"

namespace viaduct::service {
namespace {

/// Published, for all nodes need the same: the octets of "viaduct name ord".
constexpr base::HashKey kNameKey = {0x2074637564616976, 0x64726f20656d616e};

constexpr std::uint32_t kGolden = 0x9e3779b9;  // lookup2's arbitrary start value

void mix(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c) {
  a -= b;
  a -= c;
  a ^= c >> 13;
  b -= c;
  b -= a;
  b ^= a << 8;
  c -= a;
  c -= b;
  c ^= b >> 13;
  a -= b;
  a -= c;
  a ^= c >> 12;
  b -= c;
  b -= a;
  b ^= a << 16;
  c -= a;
  c -= b;
  c ^= b >> 5;
  a -= b;
  a -= c;
  a ^= c >> 3;
  b -= c;
  b -= a;
  b ^= a << 10;
  c -= a;
  c -= b;
  c ^= b >> 15;
}

std::uint32_t little_endian(std::string_view bytes, std::size_t offset, std::size_t count) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < count && offset + i < bytes.size(); i++)
    word |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[offset + i])) << (8 * i);
  return word;
}

/// A big-endian number of any length modulo `modulus`, bit by bit so that nothing overflows.
Uint128 modulo(std::span<const std::uint8_t> number, Uint128 modulus) {
  Uint128 rest = 0;
  for (const std::uint8_t octet : number) {
    for (int bit = 7; bit >= 0; bit--) {
      const bool carry = rest >> 127 != 0;
      rest = rest << 1 | (octet >> bit & 1U);
      if (carry || rest >= modulus) rest -= modulus;
    }
  }
  return rest;
}

template <class FirstCandidate>
std::map<std::string, base::Address> allocate(const std::map<std::string, Tick>& names,
                                              const std::set<base::Address>& taken, Uint128 min,
                                              Uint128 max, FirstCandidate first) {
  std::vector<std::pair<NameRank, std::string>> order;
  order.reserve(names.size());
  for (const auto& [name, tick] : names) order.emplace_back(rank_of(name, tick), name);
  std::sort(order.begin(), order.end());
  std::set<Uint128> used;
  for (const base::Address& address : taken) used.insert(to_number(address));
  std::map<std::string, base::Address> result;
  for (const auto& [rank, name] : order) {
    const Uint128 wish = to_number(first(name));
    Uint128 candidate = wish;
    bool free = used.insert(candidate).second;
    while (!free) {
      candidate = candidate == max ? min : candidate + 1;
      if (candidate == wish) break;
      free = used.insert(candidate).second;
    }
    if (free) result.emplace(name, from_number(candidate));
  }
  return result;
}

}  // namespace

std::uint32_t phash2(std::string_view bytes) {
  std::uint32_t a = kGolden;
  std::uint32_t b = kGolden;
  std::uint32_t c = 13 * kGolden;
  const auto length = static_cast<std::uint32_t>(bytes.size());
  while (bytes.size() >= 12) {
    a += little_endian(bytes, 0, 4);
    b += little_endian(bytes, 4, 4);
    c += little_endian(bytes, 8, 4);
    mix(a, b, c);
    bytes.remove_prefix(12);
  }
  a += little_endian(bytes, 0, 4);
  b += little_endian(bytes, 4, 4);
  c += length + (little_endian(bytes, 8, 3) << 8);  // the length has the low octet
  mix(a, b, c);
  return c;
}

base::Address first_candidate4(std::string_view name, const NamedRanges& ranges) {
  const std::uint32_t min = ranges.min4.v4_value();
  const std::uint32_t width = ranges.max4.v4_value() - min;
  return base::Address::v4(width == 0 ? min : min + phash2(name) % width);
}

base::Address first_candidate6(std::string_view name, const NamedRanges& ranges) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const int done =
      EVP_Digest(name.data(), name.size(), digest.data(), &length, EVP_sha1(), nullptr);
  assert(done == 1 && length == 20);
  static_cast<void>(done);
  const Uint128 min = to_number(ranges.min6);
  const Uint128 width = to_number(ranges.max6) - min;
  return from_number(width == 0 ? min : min + modulo(std::span(digest).first(length), width));
}

NameRank rank_of(std::string_view name, Tick tick) {
  return {tick, base::siphash(kNameKey, base::as_bytes(name))};
}

std::map<std::string, base::Address> allocate_named4(const std::map<std::string, Tick>& names,
                                                     const std::set<base::Address>& taken,
                                                     const NamedRanges& ranges) {
  return allocate(names, taken, to_number(ranges.min4), to_number(ranges.max4),
                  [&](const std::string& name) { return first_candidate4(name, ranges); });
}

std::map<std::string, base::Address> allocate_named6(const std::map<std::string, Tick>& names,
                                                     const std::set<base::Address>& taken,
                                                     const NamedRanges& ranges) {
  return allocate(names, taken, to_number(ranges.min6), to_number(ranges.max6),
                  [&](const std::string& name) { return first_candidate6(name, ranges); });
}

}  // namespace viaduct::service
