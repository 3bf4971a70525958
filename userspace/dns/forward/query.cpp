#include "dns/forward/query.h"

#include <algorithm>

namespace viaduct::dns::forward {
namespace {

bool is_letter(std::uint8_t octet) { return (octet | 0x20) >= 'a' && (octet | 0x20) <= 'z'; }

/// Length octets are no letters, so a wire name is taken octet by octet.
void mix_case(std::span<std::uint8_t> name, const Random& random) {
  std::uint64_t bits = 0;
  int left = 0;
  for (std::uint8_t& octet : name) {
    if (!is_letter(octet)) continue;
    if (left == 0) {
      bits = random();
      left = 64;
    }
    octet = static_cast<std::uint8_t>((octet & ~0x20) | (bits & 1) << 5);
    bits >>= 1;
    --left;
  }
}

}  // namespace

ClientQuery client_query(base::ByteView message, const Question& question, Transport transport) {
  ClientQuery query;
  query.id = question.id;
  query.flags = read16(&message[2]) & kForwardedFlags;
  query.question = message.subspan(kHeaderOctets, question.name.size() + 4);
  query.has_opt = question.has_opt;
  query.dnssec_ok = question.has_opt && question.dnssec_ok;
  query.limit = limit_of(question, transport);
  return query;
}

void write_key(const ClientQuery& query, std::string& key) {
  const FoldedName name(query.name());
  key.assign(base::as_text(name.wire()));
  key.append(base::as_text(query.question.last(4)));
  key.push_back(static_cast<char>(query.flags >> 8));
  key.push_back(static_cast<char>((query.flags & 0xff) | (query.dnssec_ok ? 1 : 0)));
}

base::Bytes upstream_query(const ClientQuery& query, const Manner& manner, const Random& random) {
  base::Bytes message(kHeaderOctets + query.question.size() + (manner.edns ? kOptOctets : 0));
  write16(&message[0], static_cast<std::uint16_t>(random()));
  write16(&message[2], query.flags);
  write16(&message[4], 1);
  write16(&message[10], manner.edns ? 1 : 0);
  std::copy(query.question.begin(), query.question.end(), message.begin() + kHeaderOctets);
  if (manner.mixed_case)
    mix_case(std::span(message).subspan(kHeaderOctets, query.name().size()), random);
  if (manner.edns) {
    std::uint8_t* opt = &message[message.size() - kOptOctets];
    write16(opt + 1, static_cast<std::uint16_t>(Type::opt));
    write16(opt + 3, kMaxUdpOctets);
    opt[7] = query.dnssec_ok ? 0x80 : 0;
  }
  return message;
}

}  // namespace viaduct::dns::forward
