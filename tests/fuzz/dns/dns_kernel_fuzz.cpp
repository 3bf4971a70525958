// tc_dns's parser, compiled for this machine, beside user space: what it takes for a plain question
// about a name of the table has the same meaning there.

#include <cstring>
#include <string>

#include "bpf/lib/dns_parse.h"
#include "dns/name.h"
#include "dns/respond.h"
#include "dns/table_writer.h"
#include "tests/fuzz/check.h"

namespace viaduct {
namespace {

using fuzz::check;

constexpr std::uint64_t kSeed = 0x5eed;

dns::Name name(const std::string& text) { return dns::Name::parse(text).value(); }

const dns::Table& table() {
  static const auto made = [] {
    dns::Zone zone;
    zone.apex = name("m");
    zone.soa.primary = zone.soa.mailbox = name("m");
    zone.records = {dns::address_record(name("w.m"), base::Address::v4(0x0b000001), 5),
                    dns::address_record(name("w.m"), base::Address::v4(0x0b000002), 5),
                    dns::address_record(name("a.b.c.m"), base::Address::v4(0x0b000003), 5)};
    return dns::build_table({&zone, 1}).table;
  }();
  return *made;
}

/// The question as user space understands it is the one that the kernel answers.
void compare(std::span<const std::uint8_t> message, const vd_dns_question& kernel) {
  const dns::Question question = dns::parse_question(message);
  check(question.verdict == dns::Verdict::query, "user space answers it");
  check(question.id == kernel.id, "id");
  check(question.name.size() == kernel.name_octets, "length of the name");
  check(question.type == kernel.type, "type");
  check(question.klass == dns::kClassIn, "class");
  check(question.has_opt == kernel.has_opt, "OPT");
  if (kernel.has_opt) check(question.dnssec_ok == ((kernel.opt[7] & 0x80) != 0), "DO");
  std::uint8_t out[dns::kMaxUdpOctets];
  const dns::Response response = dns::respond(message, table(), dns::Transport::udp, out);
  check(response.outcome == dns::Outcome::answered || response.outcome == dns::Outcome::no_data,
        "an answer that the kernel has");
}

}  // namespace
}  // namespace viaduct

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  if (size <= VD_DNS_HEADER_OCTETS || size > VD_DNS_QUERY_MAX) return 0;
  const std::span message(data, size);
  union vd_dns_message m;
  std::memset(&m, 0xa5, sizeof m);  // what an earlier packet left
  std::memcpy(m.octets + VD_DNS_MESSAGE_AT, data, size);
  vd_dns_question question{};
  if (vd_dns_parse(&m, static_cast<__u32>(size), &question) != VD_DNS_NEXT) return 0;
  const std::uint64_t hash = vd_dns_fold_name(&m, question.name_octets, kSeed);

  // The words that are hashed and compared are those of user space.
  const dns::FoldedName folded(message.subspan(dns::kHeaderOctets, question.name_octets));
  check(hash == folded.hash(kSeed), "hash");
  check(std::memcmp(m.octets + VD_DNS_NAME_AT, folded.wire().data(), folded.wire().size()) == 0,
        "folded name");
  for (__u32 i = question.name_octets; i % 8 != 0; ++i)
    check(m.octets[VD_DNS_NAME_AT + i] == 0, "filled up with zeros");

  // The kernel goes on only where these octets stand in the table.
  dns::Found found;
  if (table().find(folded, found)) compare(message, question);
  return 0;
}
