#include "dns/probe.h"

#include <algorithm>

namespace viaduct::dns {
namespace {

constexpr std::uint8_t kIsReply = 0x80;        // QR, third octet
constexpr std::uint8_t kAuthoritative = 0x04;  // AA, third octet
constexpr std::uint8_t kRcodeMask = 0x0f;      // fourth octet

std::string asked_name(std::span<const std::uint8_t> query) {
  std::string text =
      Name::from_wire(query.subspan(kHeaderOctets, query.size() - kHeaderOctets - 4)).to_text();
  text.pop_back();  // the final dot
  return text;
}

}  // namespace

std::vector<std::uint8_t> make_query(std::uint16_t id, const Name& name, Type type) {
  std::vector<std::uint8_t> query(kHeaderOctets + name.size() + 4);
  write16(query.data(), id);
  query[5] = 1;  // one question
  std::copy(name.wire().begin(), name.wire().end(), query.begin() + kHeaderOctets);
  write16(&query[query.size() - 4], static_cast<std::uint16_t>(type));
  write16(&query[query.size() - 2], kClassIn);
  return query;
}

std::vector<std::uint8_t> past_the_kernel(std::span<const std::uint8_t> query) {
  constexpr std::size_t kOptOctets = 15;  // with one option of no octets
  constexpr std::uint16_t kPadding = 12;
  std::vector<std::uint8_t> made(query.size() + kOptOctets);
  std::copy(query.begin(), query.end(), made.begin());
  write16(&made[10], 1);  // additional records
  std::uint8_t* opt = &made[query.size()];
  write16(opt + 1, static_cast<std::uint16_t>(Type::opt));
  write16(opt + 3, kMaxUdpOctets);
  write16(opt + 9, 4);  // octets of options
  write16(opt + 11, kPadding);
  return made;
}

std::string judge_reply(std::span<const std::uint8_t> reply, std::span<const std::uint8_t> query) {
  if (reply.size() < query.size() || !std::equal(query.begin(), query.begin() + 2, reply.begin()) ||
      !(reply[2] & kIsReply))
    return "answers with something else than DNS";
  if (const int rcode = reply[3] & kRcodeMask; rcode != 0)
    return "answers for " + asked_name(query) + " with error " + std::to_string(rcode) +
           ": another DNS server?";
  if (!std::ranges::equal(query.subspan(kHeaderOctets),
                          reply.subspan(kHeaderOctets, query.size() - kHeaderOctets)))
    return "answers another question than that for " + asked_name(query);
  if (!(reply[2] & kAuthoritative) || read16(&reply[6]) == 0)
    return "does not have " + asked_name(query) + ": another DNS server?";
  return "";
}

}  // namespace viaduct::dns
