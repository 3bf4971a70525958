#include "tools/viaductctl/dns_probe.h"

#include "service/vip.h"

namespace viaduct::ctl {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::uint8_t kTypeSoa = 6;
constexpr std::uint8_t kClassIn = 1;
constexpr std::uint8_t kIsReply = 0x80;        // QR, third octet
constexpr std::uint8_t kAuthoritative = 0x04;  // AA, third octet
constexpr std::uint8_t kRcodeMask = 0x0f;      // fourth octet

}  // namespace

std::vector<std::uint8_t> soa_query(std::uint16_t id) {
  std::vector<std::uint8_t> query = {static_cast<std::uint8_t>(id >> 8),
                                     static_cast<std::uint8_t>(id),
                                     0,
                                     0,
                                     0,
                                     1,
                                     0,
                                     0,
                                     0,
                                     0,
                                     0,
                                     0};
  std::string_view rest = service::kL4lbZone;
  while (!rest.empty()) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    query.push_back(static_cast<std::uint8_t>(label.size()));
    query.insert(query.end(), label.begin(), label.end());
    rest.remove_prefix(std::min(rest.size(), label.size() + 1));
  }
  query.insert(query.end(), {0, 0, kTypeSoa, 0, kClassIn});
  return query;
}

std::string judge_soa_reply(std::span<const std::uint8_t> reply, std::uint16_t id) {
  if (reply.size() < kHeaderBytes || (reply[0] << 8 | reply[1]) != id || !(reply[2] & kIsReply))
    return "answers with something else than DNS";
  if (const int rcode = reply[3] & kRcodeMask; rcode != 0)
    return "answers for l4lb.thisdcos.directory with error " + std::to_string(rcode) +
           ": another DNS server?";
  if (!(reply[2] & kAuthoritative) || (reply[6] << 8 | reply[7]) == 0)
    return "does not have l4lb.thisdcos.directory: another DNS server?";
  return "";
}

}  // namespace viaduct::ctl
