// What clients get for names in `mesos`, and where that differs from Mesos-DNS. ldns reads it.

#include <gmock/gmock.h>

#include <random>

#include "dns/explain.h"
#include "dns/respond.h"
#include "tests/support/dns_message.h"
#include "tests/support/ldns.h"
#include "tests/unit/dns/task_rows.h"

namespace viaduct::dns {
namespace {

using test::MessageBuilder;
using test::Octets;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Reply {
  Outcome outcome = Outcome::dropped;
  bool authoritative = false, recursion = false, truncated = false;
  std::vector<std::string> answer, authority, additional;
  std::size_t octets = 0;
};

Reply ask_with(const Table& table, const Octets& query, Transport transport = Transport::udp) {
  Octets out(answer_capacity(transport));
  const Response response = respond(query, table, transport, out);
  out.resize(response.octets);
  const auto packet = test::ldns_parse(out);
  EXPECT_TRUE(packet) << "ldns cannot read it";
  if (!packet) return {};
  return {response.outcome,
          ldns_pkt_aa(packet.get()) != 0,
          ldns_pkt_ra(packet.get()) != 0,
          ldns_pkt_tc(packet.get()) != 0,
          test::ldns_records(ldns_pkt_answer(packet.get())),
          test::ldns_records(ldns_pkt_authority(packet.get())),
          test::ldns_records(ldns_pkt_additional(packet.get())),
          response.octets};
}

Reply ask(const Table& table, std::string_view name, Type type = Type::a, std::uint16_t id = 0) {
  return ask_with(table, MessageBuilder(id).question(name, type));
}

ZoneOptions options() {
  ZoneOptions made = master_mode();
  made.mesos_ttl_s = 60;
  made.negative_ttl_s = 60;
  made.servers = {address("192.0.2.53")};
  return made;
}

const std::string kSoa = "mesos. 60 IN SOA ns1.mesos. root.ns1.mesos. 42 60 600 86400 60";

/// Two tasks of one name with a host port each, agents, a leading master.
std::shared_ptr<const Table> cluster() {
  service::TaskRow web = task("web"), other = task("web", "other");
  web.ports = {31000, 31001};
  other.ports = {31000};
  other.agent_id = "33899f47-S13";
  other.agent = {address("192.0.2.22"), address("2001:db8::22")};
  return build_table(of_master({web, other}, {agent("S12", {address("192.0.2.21")}),
                                              agent("S13", {address("192.0.2.22")}),
                                              master(0, address("192.0.2.1"), true)}),
                     options())
      .table;
}

TEST(MesosAnswers, StarsBehindTheFirstLabelAreDroppedAsByMesosDns) {
  const auto table = cluster();
  for (const char* name : {"leader.*.mesos", "LEADER.*.*.mesos", "lea.*der.mesos"}) {
    const Reply reply = ask(*table, name);
    EXPECT_EQ(reply.outcome, Outcome::answered) << name;
    ASSERT_EQ(reply.answer.size(), 1u);
    EXPECT_EQ(reply.answer[0], std::string(name) + ". 60 IN A 192.0.2.1")
        << "the owner is what was asked, so that caches and resolvers believe it";
  }
  EXPECT_EQ(ask(*table, "_leader._tcp.*.mesos", Type::srv).answer,
            std::vector<std::string>{"_leader._tcp.*.mesos. 60 IN SRV 0 1 5050 leader.mesos."});
  EXPECT_EQ(ask(*table, "leader.*.mesos", Type::aaaa).outcome, Outcome::no_data);
}

TEST(MesosAnswers, OtherStarsAreLetters) {
  const auto table = cluster();
  for (const char* name : {"*.mesos", "*.leader.mesos", "leader.**.mesos", "lea*der.mesos",
                           "*.*.mesos", "a.*.mesos", "leader.*.mesos.thisdcos.directory"})
    EXPECT_EQ(ask(*table, name).outcome, Outcome::name_error) << name;
  const std::string part(40, 'x');
  EXPECT_EQ(ask(*table, part + ".*" + part + ".mesos").outcome, Outcome::name_error)
      << "no label is longer than 63 octets";
}

/// Random names against the rule as Mesos-DNS words it: all ".*" are taken out of the text.
TEST(MesosAnswers, StarsAreDroppedAsFromTheText) {
  ZoneHead head;
  head.apex = Name::parse("mesos").value();
  head.drops_stars = true;
  const Zone zone{head, {}};
  const Table table = *build_table({&zone, 1}).table;
  std::mt19937 random(3);
  unsigned dropped = 0;
  for (int turn = 0; turn < 20'000; ++turn) {
    std::string text;
    for (unsigned label = 1 + random() % 5; label > 0; --label) {
      for (unsigned octet = 1 + random() % 3; octet > 0; --octet) text += "*a-*"[random() % 4];
      if (random() % 8 == 0) text += std::string(60, 'x');
      text += '.';
    }
    text += "mesos";
    const auto name = Name::parse(text);
    if (!name) continue;
    const Octets query = MessageBuilder(0).question(text, Type::a);
    const Question question = parse_question(query);
    FoldedName folded(question.name);
    const auto place = table.locate(question, folded);
    ASSERT_TRUE(place);
    const auto found = Table::without_stars(*place, folded);
    std::string left = text;
    for (std::size_t at = left.find(".*"); at != std::string::npos; at = left.find(".*", at))
      left.erase(at, 2);
    const auto wanted = left == text ? base::Result<Name>(base::Error{}) : Name::parse(left);
    ASSERT_EQ(found.has_value(), wanted.has_value()) << text;
    if (!found) continue;
    ASSERT_EQ(Name::from_wire(found->wire()), *wanted) << text;
    ++dropped;
  }
  EXPECT_GT(dropped, 5'000u);
}

TEST(MesosAnswers, ANameWithAStarOfItsOwnIsFoundFirst) {
  service::TaskRow row = task("ignored");
  row.discovery = "a.*b";
  const auto table = build_table(of_master({row, task("ab")}, {}), options()).table;
  EXPECT_EQ(ask(*table, "a.*b.marathon.mesos").answer.size(), 1u);
  EXPECT_EQ(ask(*table, "a.*b.marathon.mesos", Type::aaaa).outcome, Outcome::answered);
}

TEST(MesosAnswers, ExplainDropsStarsToo) {
  const auto table = cluster();
  const Explanation found =
      explain(*table, Name::parse("leader.*.mesos").value(), static_cast<std::uint16_t>(Type::a));
  EXPECT_TRUE(found.exists);
  EXPECT_EQ(found.name.to_text(), "leader.mesos.");
  EXPECT_EQ(found.records.size(), 1u);
}

TEST(MesosAnswers, SrvComesWithAnAddressOfEachFamilyOfEachTarget) {
  const Reply reply = ask(*cluster(), "_web._tcp.marathon.slave.mesos", Type::srv);
  const std::string zone = ".marathon.slave.mesos. 60 IN ";
  const std::string one = "web-iffe9-s12" + zone;
  const std::string two = "web-" + zones::mesos_hash("other") + "-s13" + zone;
  EXPECT_EQ(reply.answer.size(), 3u);
  EXPECT_THAT(reply.additional, UnorderedElementsAre(one + "A 192.0.2.21", two + "A 192.0.2.22",
                                                     two + "AAAA 2001:db8::22"));
  EXPECT_THAT(reply.authority, IsEmpty());
}

TEST(MesosAnswers, SrvOfANameThatLeadsToAnotherIsTheCname) {
  // Targets of every length around that of what an SRV record has before its own.
  for (const char* target : {"db", "a", "dbs", "data", "datab", "databases.example"}) {
    ZoneOptions made = options();
    made.cnames.push_back({*Name::parse("a.b.thisdcos.directory"), *Name::parse(target)});
    const auto table = build_table(running({}), made).table;
    const Reply reply = ask(*table, "a.b.thisdcos.directory", Type::srv);
    ASSERT_EQ(reply.answer.size(), 1u);
    EXPECT_NE(reply.answer[0].find("CNAME"), std::string::npos);
    EXPECT_THAT(reply.additional, IsEmpty());
  }
}

TEST(MesosAnswers, SeveralAddressesOfATargetTakeTurns) {
  const auto table = cluster();
  EXPECT_THAT(ask(*table, "_slave._tcp.mesos", Type::srv, 4).additional,
              ElementsAre("slave.mesos. 60 IN A 192.0.2.21"));
  EXPECT_THAT(ask(*table, "_slave._tcp.mesos", Type::srv, 5).additional,
              ElementsAre("slave.mesos. 60 IN A 192.0.2.22"));
}

/// A task with so many host ports that their SRV records leave no room for addresses.
TEST(MesosAnswers, AddressesForWhichThereIsNoRoomAreLeftOutWithoutTc) {
  service::TaskRow row = task("webapp");
  for (std::uint16_t port = 31000; row.ports.size() < 8; ++port) row.ports.push_back(port);
  const auto table = build_table(of_master({row}, {}), options()).table;
  const char* name = "_webapp._tcp.marathon.slave.mesos";
  const Reply small = ask(*table, name, Type::srv);
  EXPECT_EQ(small.answer.size(), 8u);
  EXPECT_FALSE(small.truncated) << "all that was asked for is there";
  EXPECT_THAT(small.additional, IsEmpty());
  EXPECT_EQ(small.octets, 507u);
  const Octets query = MessageBuilder(0).question(name, Type::srv).opt();
  EXPECT_EQ(ask_with(*table, query).additional.size(), 1u) << "EDNS: up to 1,232 octets";
  EXPECT_EQ(ask_with(*table, MessageBuilder(0).question(name, Type::srv), Transport::tcp)
                .additional.size(),
            1u);
}

TEST(MesosAnswers, SrvThatDoesNotExistHasTheSoaAndSaysWhatIsMissing) {
  const auto table = cluster();
  const Reply nothing = ask(*table, "nope.mesos", Type::srv);
  EXPECT_EQ(nothing.outcome, Outcome::name_error) << "Mesos-DNS: NOERROR and nothing else";
  EXPECT_THAT(nothing.authority, ElementsAre(kSoa));
  const Reply other = ask(*table, "leader.mesos", Type::srv);
  EXPECT_EQ(other.outcome, Outcome::no_data);
  EXPECT_THAT(other.authority, ElementsAre(kSoa));
}

TEST(MesosAnswers, NegativeOnesHaveTheSoaOfTheZone) {
  const auto table = cluster();
  EXPECT_THAT(ask(*table, "nope.mesos").authority, ElementsAre(kSoa))
      << "Mesos-DNS: of the name that was asked, which caches do not keep";
  EXPECT_EQ(ask(*table, "leader.mesos", static_cast<Type>(16)).outcome, Outcome::no_data);
}

TEST(MesosAnswers, TheApexAndNamesThatOnlyHaveNamesBelowExist) {
  const auto table = cluster();
  for (const char* name :
       {"mesos", "marathon.mesos", "_tcp.marathon.mesos", "marathon.slave.mesos"})
    EXPECT_EQ(ask(*table, name).outcome, Outcome::no_data)
        << name << ": after NXDOMAIN a resolver may take all below it for gone (RFC 8020)";
}

TEST(MesosAnswers, SoaAndNsAreInTheAnswerAtTheApexAlone) {
  const auto table = cluster();
  EXPECT_THAT(ask(*table, "mesos", Type::soa).answer, ElementsAre(kSoa));
  EXPECT_THAT(ask(*table, "mesos", Type::ns).answer, ElementsAre("mesos. 3600 IN NS ns1.mesos."));
  EXPECT_THAT(ask(*table, "ns1.mesos").answer, ElementsAre("ns1.mesos. 60 IN A 192.0.2.53"));
  for (const Type type : {Type::soa, Type::ns}) {
    EXPECT_EQ(ask(*table, "leader.mesos", type).outcome, Outcome::no_data);
    EXPECT_EQ(ask(*table, "nope.mesos", type).outcome, Outcome::name_error);
  }
}

TEST(MesosAnswers, AnyIsOneRecordSet) {
  const Reply reply = ask(*cluster(), "leader.mesos", Type::any);
  EXPECT_THAT(reply.answer, ElementsAre("leader.mesos. 60 IN A 192.0.2.1"));
  EXPECT_THAT(reply.authority, IsEmpty());
}

TEST(MesosAnswers, SayThatRecursionIsAvailableAsMesosDnsDoes) {
  EXPECT_TRUE(ask(*cluster(), "leader.mesos").recursion);
  EXPECT_TRUE(ask(*cluster(), "nope.mesos").recursion);
  EXPECT_FALSE(ask(*cluster(), "ready.spartan").recursion) << "nothing is forwarded";
  ZoneOptions other = options();
  other.mesos_recursion = false;
  const auto without = build_table(of_master({}, {master(0, address("192.0.2.1"), true)}), other);
  EXPECT_FALSE(ask(*without.table, "leader.mesos").recursion);
  other = {};
  other.masters.all = {address("192.0.2.1")};
  EXPECT_FALSE(ask(*build_table(running({}), other).table, "leader.mesos").recursion)
      << "of what nodes publish nothing changes";
}

TEST(MesosAnswers, BeforeTheMasterHasSpokenAreFailuresThatNobodyKeeps) {
  service::Snapshot silent = running({task("web")});
  const auto table = build_table(silent, options()).table;
  EXPECT_EQ(ask(*table, "web.marathon.mesos").outcome, Outcome::server_failure);
  EXPECT_EQ(ask(*table, "leader.mesos.thisdcos.global").outcome, Outcome::server_failure);
  EXPECT_EQ(ask(*table, "web.marathon.agentip.dcos.thisdcos.directory").outcome, Outcome::answered);
  EXPECT_EQ(ask(*table, "ready.spartan").outcome, Outcome::answered);
}

TEST(MesosAnswers, ALongLabelIsCutWhereMesosDnsStaysSilent) {
  service::TaskRow row = task(std::string(60, 'n'));
  row.ports = {31000};
  const auto table = build_table(of_master({row}, {}), options()).table;
  const Reply reply =
      ask(*table, "_" + std::string(60, 'n') + "._tcp.marathon.slave.mesos", Type::srv);
  EXPECT_EQ(reply.answer.size(), 1u);
  EXPECT_THAT(reply.additional, ElementsAre(std::string(53, 'n') +
                                            "-iffe9-s12.marathon.slave.mesos. 60 IN A 192.0.2.21"));
}

TEST(MesosAnswers, ADiscoveryNameWithCapitalsHasEachSrvOnce) {
  service::TaskRow row = task("web");
  row.discovery = "Web";
  row.discovery_ports = {{80, "", "tcp"}};
  const auto table = build_table(of_master({row}, {}), options()).table;
  EXPECT_EQ(ask(*table, "_web._tcp.marathon.mesos", Type::srv).answer.size(), 1u);
}

TEST(MesosAnswers, ADiscoveryNameCanBeAskedForWhateverItsLetters) {
  service::TaskRow row = task("ignored");
  row.discovery = "My App.x:1";
  row.discovery_ports = {{80, "", "tcp"}};
  const auto table = build_table(of_master({row}, {}), options()).table;
  EXPECT_EQ(ask(*table, "my app.x:1.marathon.mesos").outcome, Outcome::answered);
  EXPECT_EQ(ask(*table, "_My App.x:1._tcp.marathon.mesos", Type::srv).outcome, Outcome::answered)
      << "Mesos-DNS loses capitals, blanks, and SRV with a colon";
}

}  // namespace
}  // namespace viaduct::dns
