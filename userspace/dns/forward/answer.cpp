#include "dns/forward/answer.h"

#include <algorithm>
#include <cstring>

namespace viaduct::dns::forward {
namespace {

constexpr std::size_t kStaleOptionOctets = 6;
constexpr std::uint16_t kExtendedErrorOption = 15;  // RFC 8914, 2
constexpr std::uint16_t kStaleAnswer = 3;           // RFC 8914, 4.4

std::size_t opt_octets(const ClientQuery& query, bool stale) {
  return query.has_opt ? kOptOctets + (stale ? kStaleOptionOctets : 0) : 0;
}

std::size_t append_opt(const ClientQuery& query, bool stale, std::span<std::uint8_t> out,
                       std::size_t at) {
  const std::size_t octets = opt_octets(query, stale);
  if (octets == 0) return at;
  std::uint8_t* opt = &out[at];
  std::memset(opt, 0, octets);
  write16(opt + 1, static_cast<std::uint16_t>(Type::opt));
  write16(opt + 3, kMaxUdpOctets);
  opt[7] = query.dnssec_ok ? 0x80 : 0;
  if (stale) {
    write16(opt + 9, kStaleOptionOctets);
    write16(opt + 11, kExtendedErrorOption);
    write16(opt + 13, 2);
    write16(opt + 15, kStaleAnswer);
  }
  write16(&out[10], static_cast<std::uint16_t>(read16(&out[10]) + 1));
  return at + octets;
}

/// @param flags  beyond those of every answer, the response code included.
std::size_t write_bare(const ClientQuery& query, std::uint16_t flags, bool stale,
                       std::span<std::uint8_t> out) {
  std::memset(out.data(), 0, kHeaderOctets);
  write16(&out[0], query.id);
  const std::uint16_t own = query.flags & (kFlagRecursionDesired | kFlagCheckingDisabled);
  write16(&out[2], kFlagResponse | kFlagRecursionAvailable | own | flags);
  write16(&out[4], 1);
  std::copy(query.question.begin(), query.question.end(), out.begin() + kHeaderOctets);
  return append_opt(query, stale, out, kHeaderOctets + query.question.size());
}

}  // namespace

CachedAnswer to_answer(base::ByteView message, const Reply& reply, std::size_t upstream) {
  CachedAnswer answer;
  answer.message.assign(message.begin(),
                        message.begin() + static_cast<std::ptrdiff_t>(reply.octets));
  answer.ttl_offsets = reply.ttl_offsets;
  answer.ttl_s = reply.ttl_s;
  answer.upstream = upstream;
  std::uint8_t* octets = answer.message.data();
  write16(octets + 2, (read16(octets + 2) & kFlagAuthenticData) | (reply.rcode & 0x0f));
  write16(octets + 6, reply.answers);
  write16(octets + 8, reply.authority);
  write16(octets + 10, reply.additional);
  for (const std::uint16_t at : answer.ttl_offsets) {
    const std::uint32_t ttl = read32(octets + at);
    write32(octets + at, ttl > 0x7fffffff ? 0 : std::min(ttl, kMaxTtl));
  }
  return answer;
}

std::size_t write_answer(const ClientQuery& query, const CachedAnswer& answer, const Age& age,
                         std::span<std::uint8_t> out) {
  const std::uint16_t flags = read16(&answer.message[2]);
  const std::size_t octets = answer.message.size();
  if (octets + opt_octets(query, age.stale) > query.limit)
    return write_bare(query, flags | kFlagTruncated, age.stale, out);
  std::memcpy(out.data(), answer.message.data(), octets);
  for (const std::uint16_t at : answer.ttl_offsets) {
    const std::uint32_t ttl = read32(&answer.message[at]);
    write32(&out[at], age.stale ? kStaleTtl : ttl - std::min(ttl, age.seconds));
  }
  write16(&out[0], query.id);
  const std::uint16_t own = query.flags & (kFlagRecursionDesired | kFlagCheckingDisabled);
  write16(&out[2], kFlagResponse | kFlagRecursionAvailable | own | flags);
  std::copy(query.question.begin(), query.question.end(), out.begin() + kHeaderOctets);
  return append_opt(query, age.stale, out, octets);
}

std::size_t write_error(const ClientQuery& query, Rcode rcode, std::span<std::uint8_t> out) {
  return write_bare(query, static_cast<std::uint16_t>(rcode), false, out);
}

}  // namespace viaduct::dns::forward
