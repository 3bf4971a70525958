// What upstreams send: arbitrary octets behind the id and question of a query, through the check,
// the cache form and the client's answer, against ldns wherever both accept.

#include <algorithm>
#include <vector>

#include "dns/forward/answer.h"
#include "dns/forward/reply.h"
#include "tests/fuzz/check.h"
#include "tests/support/dns_message.h"
#include "tests/support/ldns.h"

namespace viaduct {
namespace {

using fuzz::check;
using Octets = std::vector<std::uint8_t>;

/// The first octet of the input chooses what is asked.
Octets sent(std::uint8_t choice) {
  constexpr dns::Type kTypes[] = {dns::Type::a, dns::Type::aaaa, dns::Type::soa, dns::Type::any};
  return test::MessageBuilder(0x4711).question("wWw.ExamPle", kTypes[choice & 3]).opt();
}

/// Whether ldns goes by a record's length: it does not for every type.
bool is_plain(const ldns_rr_list* list) {
  constexpr ldns_rr_type kPlain[] = {LDNS_RR_TYPE_A,    LDNS_RR_TYPE_NS, LDNS_RR_TYPE_CNAME,
                                     LDNS_RR_TYPE_SOA,  LDNS_RR_TYPE_MX, LDNS_RR_TYPE_PTR,
                                     LDNS_RR_TYPE_AAAA, LDNS_RR_TYPE_SRV};
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i)
    if (std::find(std::begin(kPlain), std::end(kPlain),
                  ldns_rr_get_type(ldns_rr_list_rr(list, i))) == std::end(kPlain))
      return false;
  return true;
}

/// Counts and TTLs of what both understood.
void compare_section(std::span<const std::uint8_t> message, std::size_t count,
                     const ldns_rr_list* list, std::size_t& at, const dns::forward::Reply& reply) {
  check(count == ldns_rr_list_rr_count(list), "as many records as in ldns");
  for (std::size_t i = 0; i < count; ++i, ++at)
    check(dns::read32(&message[reply.ttl_offsets[at]]) == ldns_rr_ttl(ldns_rr_list_rr(list, i)),
          "TTL as in ldns");
}

void check_answer(std::span<const std::uint8_t> message, const dns::forward::Reply& reply,
                  const Octets& query) {
  const dns::forward::CachedAnswer answer = dns::forward::to_answer(message, reply, 0);
  const dns::Question question = dns::parse_question(query);
  for (const dns::Transport transport : {dns::Transport::udp, dns::Transport::tcp}) {
    const auto client = dns::forward::client_query(query, question, transport);
    Octets out(dns::answer_capacity(transport));
    for (const dns::forward::Age age : {dns::forward::Age{}, {100, false}, {100, true}}) {
      const std::size_t octets = dns::forward::write_answer(client, answer, age, out);
      check(octets <= client.limit, "within the client's limit");
      check(std::equal(query.begin() + 12, query.end() - 11, out.begin() + 12),
            "the question as the client wrote it");
      Octets bare(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(octets));
      const bool cut = (out[2] & 0x02) != 0;
      if (cut) check(test::ldns_parse(bare) != nullptr, "ldns reads a truncated answer");
      // Read as a reply to the same query it is sound too, and has the same records.
      const dns::forward::Reply again = dns::forward::inspect(bare, query);
      check(cut ? again.verdict == dns::forward::ReplyVerdict::truncated
                : again.verdict == dns::forward::ReplyVerdict::accepted,
            "what clients get is sound");
      check(cut || again.ttl_offsets == reply.ttl_offsets, "no record is lost");
    }
  }
}

}  // namespace
}  // namespace viaduct

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  if (size < 1 || size > dns::kMaxTcpOctets) return 0;
  const Octets query = sent(data[0]);
  const std::span message(data + 1, size - 1);
  const dns::forward::Reply reply = dns::forward::inspect(message, query);
  if (reply.verdict != dns::forward::ReplyVerdict::accepted) return 0;
  check(reply.octets <= message.size(), "no more than there is");
  check(reply.ttl_offsets.size() ==
            static_cast<std::size_t>(reply.answers) + reply.authority + reply.additional,
        "a TTL for each record");
  for (const std::uint16_t at : reply.ttl_offsets)
    check(at + 4u <= reply.octets, "TTLs lie within");
  check(reply.ttl_s <= dns::forward::kMaxTtl, "kept a day at most");
  const test::LdnsPacket packet = test::ldns_parse(message);
  if (packet && is_plain(ldns_pkt_answer(packet.get())) &&
      is_plain(ldns_pkt_authority(packet.get()))) {
    std::size_t at = 0;
    compare_section(message, reply.answers, ldns_pkt_answer(packet.get()), at, reply);
    compare_section(message, reply.authority, ldns_pkt_authority(packet.get()), at, reply);
  }
  const bool error = reply.rcode != 0 && reply.rcode != 3;
  if (reply.has_question && !error) check_answer(message, reply, query);
  return 0;
}
