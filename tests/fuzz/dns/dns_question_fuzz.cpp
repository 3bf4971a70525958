// The query parser and the responder on arbitrary messages, against ldns wherever both accept one.

#include <algorithm>
#include <string>

#include "dns/respond.h"
#include "dns/zones/zones.h"
#include "tests/fuzz/check.h"
#include "tests/support/ldns.h"

namespace viaduct {
namespace {

using fuzz::check;

const dns::Table& table() {
  static const dns::Table made = [] {
    service::Snapshot snapshot;
    snapshot.revision = 3;
    snapshot.complete = true;
    service::NamedVip big{"big.m", {}};
    for (unsigned i = 0; i < 60; ++i) big.addresses.push_back(base::Address::v4(0x0b000100 + i));
    snapshot.names = {{"w.m", {base::Address::v4(0x0b000001), base::Address::v4(0x0b000002)}}, big};
    dns::ZoneOptions options;
    options.mesos = dns::MesosMode::master;  // SRV with addresses, and names with stars
    service::TaskRow task{.framework = "m", .id = "t", .name = "w", .agent_id = "S0"};
    task.agent = {base::Address::v4(0xc0000201), *base::Address::parse("2001:db8::1")};
    for (std::uint16_t port = 1; port < 40; ++port) task.ports.push_back(port);
    snapshot.master.known = true;
    snapshot.master.tasks = {std::make_shared<const service::Task>(service::Task{task, ""})};
    return *dns::build_table(snapshot, options).table;
  }();
  return made;
}

bool same(std::span<const std::uint8_t> name, const ldns_rdf* owner) {
  return std::equal(name.begin(), name.end(), ldns_rdf_data(owner),
                    ldns_rdf_data(owner) + ldns_rdf_size(owner));
}

/// What both understood is the same.
void compare_with_ldns(const dns::Question& question, const ldns_pkt& packet) {
  check(question.id == ldns_pkt_id(&packet), "id as in ldns");
  check(question.opcode == ldns_pkt_get_opcode(&packet), "opcode as in ldns");
  check(question.recursion_desired == ldns_pkt_rd(&packet), "RD as in ldns");
  check(ldns_pkt_qdcount(&packet) == 1, "one question as in ldns");
  const ldns_rr* asked = ldns_rr_list_rr(ldns_pkt_question(&packet), 0);
  check(same(question.name, ldns_rr_owner(asked)), "name as in ldns");
  check(question.type == ldns_rr_get_type(asked), "type as in ldns");
  check(question.klass == ldns_rr_get_class(asked), "class as in ldns");
  check(question.has_opt == ldns_pkt_edns(&packet), "EDNS as in ldns");
  if (!question.has_opt) return;
  check(question.udp_size == ldns_pkt_edns_udp_size(&packet), "UDP size as in ldns");
  check(question.dnssec_ok == ldns_pkt_edns_do(&packet), "DO as in ldns");
}

void check_answer(std::span<const std::uint8_t> message, const dns::Question& question,
                  dns::Transport transport) {
  std::vector<std::uint8_t> out(dns::answer_capacity(transport));
  const dns::Response response = dns::respond(message, table(), transport, out);
  check((response.octets == 0) == (question.verdict == dns::Verdict::drop),
        "only what is dropped gets no answer");
  if (response.octets == 0) return;
  check(response.octets <= out.size(), "the answer fits its buffer");
  if (transport == dns::Transport::udp && !question.has_opt)
    check(response.octets <= dns::kPlainUdpOctets, "512 octets without EDNS");
  const test::LdnsPacket answer = test::ldns_parse(std::span(out).first(response.octets));
  check(answer != nullptr, "ldns reads the answer");
  check(ldns_pkt_qr(answer.get()), "it is a response");
  check(ldns_pkt_id(answer.get()) == question.id, "it has the id");
  check(ldns_pkt_edns(answer.get()) == question.has_opt, "OPT in, OPT out");
  check(ldns_pkt_qdcount(answer.get()) == (question.has_question ? 1 : 0),
        "it repeats the question");
  if (question.has_question)
    check(same(question.name, ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(answer.get()), 0))),
          "as it was sent");
}

}  // namespace
}  // namespace viaduct

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  if (size > dns::kMaxTcpOctets) return 0;
  const std::span message(data, size);
  const dns::Question question = dns::parse_question(message);
  if (question.verdict == dns::Verdict::query)
    if (const test::LdnsPacket packet = test::ldns_parse(message))
      compare_with_ldns(question, *packet);
  check_answer(message, question, dns::Transport::udp);
  check_answer(message, question, dns::Transport::tcp);
  return 0;
}
