#include "dns/respond.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "dns/zones/zones.h"
#include "tests/support/dns_message.h"

namespace viaduct::dns {
namespace {

using test::MessageBuilder;
using test::Octets;

constexpr std::uint16_t kAuthoritative = 0x0400, kTruncated = 0x0200, kRecursionDesired = 0x0100;
constexpr std::string_view kWeb = "web.marathon.l4lb.thisdcos.directory";
constexpr std::string_view kMany = "many.marathon.l4lb.thisdcos.directory";

/// `web` with one IPv4 address, `many` with 40.
const Table& table() {
  static const Table made = [] {
    service::Snapshot snapshot;
    snapshot.revision = 7;
    snapshot.complete = true;
    service::NamedVip many{"many.marathon", {}};
    for (unsigned i = 0; i < 40; ++i) many.addresses.push_back(base::Address::v4(0x0b000100 + i));
    snapshot.names = {{"web.marathon", {base::Address::v4(0x0b000001)}}, many};
    return *build_table(snapshot, {}).table;
  }();
  return made;
}

struct Answer {
  Octets octets;
  Outcome outcome = Outcome::dropped;

  std::uint16_t flags() const { return read16(&octets[2]); }
  unsigned rcode() const { return octets[3] & 0x0fu; }
  unsigned questions() const { return read16(&octets[4]); }
  unsigned answers() const { return read16(&octets[6]); }
  unsigned authority() const { return read16(&octets[8]); }
  unsigned additional() const { return read16(&octets[10]); }
  /// The last 11 octets, where our OPT is if it comes last.
  Octets tail() const { return {octets.end() - 11, octets.end()}; }
};

Answer ask(const Octets& query, Transport transport = Transport::udp, const Table& from = table()) {
  Octets out(answer_capacity(transport));
  const Response response = respond(query, from, transport, out);
  out.resize(response.octets);
  return {out, response.outcome};
}

Octets query(std::string_view name, Type type = Type::a) {
  return MessageBuilder().question(name, type);
}

TEST(Respond, AnswersAnAddressOctetByOctet) {
  Octets wanted = query(kWeb);
  wanted[2] = 0x85;
  wanted[7] = 1;
  const Octets body = {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 11, 0, 0, 1};
  wanted.insert(wanted.end(), body.begin(), body.end());
  const Answer answer = ask(query(kWeb));
  EXPECT_EQ(answer.octets, wanted);
  EXPECT_EQ(answer.outcome, Outcome::answered);
  EXPECT_EQ(ask(query(kWeb), Transport::tcp).octets, wanted);
}

TEST(Respond, ReturnsTheNameAsItWasSent) {
  const std::string mixed = "wEb.MARATHON.l4Lb.ThisDcos.Global";
  const Octets asked = query(mixed);
  const Answer answer = ask(asked);
  EXPECT_EQ(answer.answers(), 1u);
  EXPECT_TRUE(std::equal(asked.begin() + 12, asked.end(), answer.octets.begin() + 12));
}

TEST(Respond, CopiesIdAndRecursionDesiredAndNoOtherFlag) {
  const Octets all_flags = MessageBuilder(0xabcd, 0x07f0 | 0x0f).question(kWeb, Type::a);
  const Answer answer = ask(all_flags);
  EXPECT_EQ(read16(&answer.octets[0]), 0xabcd);
  EXPECT_EQ(answer.flags(), 0x8000 | kAuthoritative | kRecursionDesired);
  EXPECT_EQ(ask(MessageBuilder(1, 0).question(kWeb, Type::a)).flags(), 0x8000 | kAuthoritative);
}

TEST(Respond, SaysNoDataWithTheSoaForAnotherType) {
  for (const unsigned type : {28u, 16u, 33u, 65u, 0u, 41u, 46u, 249u, 253u, 254u, 65280u}) {
    const Answer answer = ask(query(kWeb, static_cast<Type>(type)));
    EXPECT_EQ(answer.outcome, Outcome::no_data) << type;
    EXPECT_EQ(answer.rcode(), 0u);
    EXPECT_EQ(answer.answers(), 0u);
    EXPECT_EQ(answer.authority(), 1u);
    EXPECT_TRUE(answer.flags() & kAuthoritative);
  }
}

TEST(Respond, SaysNoDataForAnEmptyNonTerminal) {
  EXPECT_EQ(ask(query("marathon.l4lb.thisdcos.directory")).outcome, Outcome::no_data);
  EXPECT_EQ(ask(query("Marathon.dclb.thisdcos.global", Type::any)).outcome, Outcome::no_data);
}

TEST(Respond, SaysNameErrorWithTheSoaOfTheApexThatWasAsked) {
  for (const char* suffix : {"l4lb.thisdcos.directory", "dclb.thisdcos.global"}) {
    const std::string name = std::string("no.such.") + suffix;
    const Answer answer = ask(query(name));
    EXPECT_EQ(answer.outcome, Outcome::name_error);
    EXPECT_EQ(answer.rcode(), 3u);
    EXPECT_EQ(answer.authority(), 1u);
    EXPECT_TRUE(answer.flags() & kAuthoritative);
    const std::size_t soa = 12 + name.size() + 2 + 4;
    EXPECT_EQ(read16(&answer.octets[soa]), 0xc000 + 12 + 8);  // points at the suffix
    EXPECT_EQ(read32(&answer.octets[soa + 6]), 1u);           // TTL: the SOA's minimum
  }
}

TEST(Respond, SaysNameErrorForANameThatGrowsOver255OctetsAtTheApex) {
  std::string name;
  for (int i = 0; i < 3; ++i) name += std::string(63, 'a') + '.';
  name += std::string(39, 'b') + ".l4lb.thisdcos.global";
  ASSERT_EQ(Name::parse(name).value().size(), 254u);
  EXPECT_EQ(ask(query(name)).outcome, Outcome::name_error);
}

TEST(Respond, RefusesOtherZonesAndClasses) {
  for (const char* name :
       {".", "example", "thisdcos.directory", "x.thisdcos.directory", "xl4lb.thisdcos.global"}) {
    const Answer answer = ask(query(name));
    EXPECT_EQ(answer.outcome, Outcome::refused) << name;
    EXPECT_EQ(answer.rcode(), 5u);
    EXPECT_FALSE(answer.flags() & kAuthoritative);
    EXPECT_EQ(answer.questions(), 1u);
  }
  for (const std::uint16_t klass : {0, 3, 4, 254, 255})
    EXPECT_EQ(ask(MessageBuilder().question(kWeb, Type::a, klass)).outcome, Outcome::refused);
}

TEST(Respond, RefusesZoneTransfers) {
  for (const Transport transport : {Transport::udp, Transport::tcp})
    for (const Type type : {Type::axfr, Type::ixfr})
      EXPECT_EQ(ask(query("l4lb.thisdcos.directory", type), transport).outcome, Outcome::refused);
}

TEST(Respond, AnswersAnyWithOneRecordSet) {
  const Answer answer = ask(query(kWeb, Type::any));
  EXPECT_EQ(answer.outcome, Outcome::answered);
  EXPECT_EQ(answer.answers(), 1u);
  EXPECT_EQ(ask(query("no.l4lb.thisdcos.directory", Type::any)).outcome, Outcome::name_error);
  EXPECT_EQ(ask(query("l4lb.thisdcos.directory", Type::any)).answers(), 1u);
}

TEST(Respond, FailsForOurZonesOnlyUntilTheFirstCompleteSnapshot) {
  const Table starting = *build_table(service::Snapshot{}, {}).table;
  const Answer answer = ask(query(kWeb), Transport::udp, starting);
  EXPECT_EQ(answer.outcome, Outcome::server_failure);
  EXPECT_EQ(answer.rcode(), 2u);
  EXPECT_FALSE(answer.flags() & kAuthoritative);
  EXPECT_EQ(ask(query("web.example"), Transport::udp, starting).outcome, Outcome::refused);
}

TEST(Respond, StaysSilentForResponsesAndFragmentsOfAHeader) {
  EXPECT_TRUE(ask(MessageBuilder(1, 0x8100).question(kWeb, Type::a)).octets.empty());
  EXPECT_TRUE(ask(Octets(11)).octets.empty());
}

TEST(Respond, SaysNotImplementedWithTheOpcode) {
  const Answer bare = ask(MessageBuilder(9, 0x7900));
  EXPECT_EQ(bare.octets, (Octets{0, 9, 0xf9, 4, 0, 0, 0, 0, 0, 0, 0, 0}));
  const Answer update = ask(MessageBuilder(9, 0x2800).question(kWeb, Type::soa).opt());
  EXPECT_EQ(update.outcome, Outcome::not_implemented);
  EXPECT_EQ(update.additional(), 1u);
}

TEST(Respond, ReturnsOnlyWhatItUnderstoodOfABrokenMessage) {
  const Answer none = ask(MessageBuilder(9).set_count(4, 1).tail({0xc0, 0x0c, 0, 1, 0, 1}));
  EXPECT_EQ(none.octets, (Octets{0, 9, 0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
  const Answer question = ask(MessageBuilder().question(kWeb, Type::a).tail({1, 2, 3}));
  EXPECT_EQ(question.outcome, Outcome::format_error);
  EXPECT_EQ(question.questions(), 1u);
  EXPECT_EQ(question.octets.size(), query(kWeb).size());
}

TEST(Respond, HasAnOptExactlyWhenTheQueryHadOne) {
  EXPECT_EQ(ask(query(kWeb)).additional(), 0u);
  for (const std::string_view name : {kWeb, std::string_view("no.l4lb.thisdcos.directory")}) {
    const Answer answer = ask(MessageBuilder()
                                  .question(name, Type::a)
                                  .opt({.dnssec_ok = true, .options = {0, 10, 0, 0}}));
    EXPECT_EQ(answer.additional(), 1u);
    EXPECT_EQ(answer.tail(), (Octets{0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0}));
  }
  const Answer broken = ask(MessageBuilder().question(kWeb, Type::a).opt().opt());
  EXPECT_EQ(broken.outcome, Outcome::format_error);
  EXPECT_EQ(broken.additional(), 1u);
}

TEST(Respond, SaysBadVersionInAnOptOfVersion0) {
  const Answer answer = ask(MessageBuilder().question(kWeb, Type::a).opt({.version = 3}));
  EXPECT_EQ(answer.outcome, Outcome::bad_version);
  EXPECT_EQ(answer.rcode(), 0u);
  EXPECT_EQ(answer.answers(), 0u);
  EXPECT_EQ(answer.questions(), 1u);
  EXPECT_EQ(answer.tail(), (Octets{0, 0, 41, 0x04, 0xd0, 1, 0, 0, 0, 0, 0}));
}

TEST(Respond, TruncatesOverUdpToWhatTheClientTakes) {
  // 40 records of 16 octets: 640 and the question.
  const Answer plain = ask(query(kMany));
  EXPECT_EQ(plain.outcome, Outcome::truncated);
  EXPECT_TRUE(plain.flags() & kTruncated);
  EXPECT_EQ(plain.answers(), 0u);
  EXPECT_EQ(plain.questions(), 1u);
  const std::size_t whole = query(kMany).size() + 640 + 11;
  const auto with_size = [](std::size_t size) {
    return ask(
        MessageBuilder().question(kMany, Type::a).opt({.size = static_cast<std::uint16_t>(size)}));
  };
  EXPECT_EQ(with_size(0).outcome, Outcome::truncated);
  EXPECT_EQ(with_size(whole - 1).outcome, Outcome::truncated);
  EXPECT_EQ(with_size(whole - 1).additional(), 1u);
  EXPECT_EQ(with_size(whole).outcome, Outcome::answered);
  EXPECT_EQ(with_size(whole).octets.size(), whole);
  EXPECT_EQ(with_size(65535).outcome, Outcome::answered);
  EXPECT_EQ(ask(query(kMany), Transport::tcp).answers(), 40u);
}

TEST(Respond, NeverSendsOver1232OctetsByUdp) {
  service::Snapshot snapshot;
  snapshot.complete = true;
  service::NamedVip many{"big.x", {}};
  for (unsigned i = 0; i < 100; ++i) many.addresses.push_back(base::Address::v4(0x0b000100 + i));
  snapshot.names = {many};
  const Table big = *build_table(snapshot, {}).table;
  const Octets asked =
      MessageBuilder().question("big.x.l4lb.thisdcos.directory", Type::a).opt({.size = 65535});
  EXPECT_EQ(ask(asked, Transport::udp, big).outcome, Outcome::truncated);
  EXPECT_EQ(ask(asked, Transport::tcp, big).answers(), 100u);
}

TEST(Respond, RotatesSeveralAddressesByTheMessageId) {
  std::set<std::uint32_t> first, all;
  for (std::uint16_t id = 0; id < 40; ++id) {
    const Octets asked = MessageBuilder(id).question(kMany, Type::a).opt();
    const Answer answer = ask(asked);
    ASSERT_EQ(answer.outcome, Outcome::answered);
    const std::size_t body = query(kMany).size();
    first.insert(read32(&answer.octets[body + 12]));
    for (std::size_t i = 0; i < 40; ++i) all.insert(read32(&answer.octets[body + i * 16 + 12]));
  }
  EXPECT_EQ(first.size(), 40u);
  EXPECT_EQ(all, first);
}

TEST(Respond, SaysBadKeyToASignedQuery) {
  const Octets data = {4, 'h',  'm', 'a', 'c', 0, 0,    0,    0x65, 1, 2, 3,
                       1, 0x2c, 0,   2,   9,   9, 0x12, 0x34, 0,    0, 0, 0};
  const Answer answer =
      ask(MessageBuilder().question(kWeb, Type::a).opt().record(10, "key", 250, 255, data));
  EXPECT_EQ(answer.outcome, Outcome::bad_key);
  EXPECT_EQ(answer.rcode(), 9u);
  EXPECT_EQ(answer.answers(), 0u);
  EXPECT_EQ(answer.additional(), 2u);
  const Octets tsig = {3, 'k', 'e',  'y', 0,   0,    250,  0, 255, 0, 0,    0, 0,
                       0, 22,  4,    'h', 'm', 'a',  'c',  0, 0,   0, 0x65, 1, 2,
                       3, 1,   0x2c, 0,   0,   0x12, 0x34, 0, 17,  0, 0};
  ASSERT_GT(answer.octets.size(), tsig.size());
  EXPECT_EQ(
      Octets(answer.octets.end() - static_cast<std::ptrdiff_t>(tsig.size()), answer.octets.end()),
      tsig);
}

TEST(Respond, LeavesOutATsigThatDoesNotFit) {
  std::string name;
  for (int i = 0; i < 3; ++i) name += std::string(63, 'a') + '.';
  name += std::string(59, 'b');
  Octets data;
  const Name algorithm = Name::parse(name).value();
  data.assign(algorithm.wire().begin(), algorithm.wire().end());
  data.insert(data.end(), {0, 0, 0x65, 1, 2, 3, 1, 0x2c, 0, 0, 0x12, 0x34, 0, 0, 0, 0});
  const Answer answer =
      ask(MessageBuilder().question(name, Type::a).record(10, name, 250, 255, data));
  EXPECT_EQ(answer.outcome, Outcome::bad_key);
  EXPECT_TRUE(answer.flags() & kTruncated);
  EXPECT_EQ(answer.additional(), 0u);
}

TEST(RespondForwarding, LeavesOnlySoundQuestionsOutsideOurZonesToTheForwarder) {
  const auto table = build_table(service::Snapshot{}, {}).table;
  std::vector<std::uint8_t> out(kMaxUdpOctets);
  const auto asked = [&](const test::MessageBuilder& query, Forwarding forwarding) {
    return respond(query.take(), *table, Transport::udp, out, forwarding);
  };
  const auto outside = [](Type type = Type::a, std::uint16_t klass = kClassIn) {
    return test::MessageBuilder().question("www.example", type, klass);
  };
  const Response forwarded = asked(outside(), Forwarding::on);
  EXPECT_EQ(forwarded.outcome, Outcome::forwarded);
  EXPECT_EQ(forwarded.octets, 0u);
  EXPECT_EQ(asked(outside(), Forwarding::off).outcome, Outcome::refused);
  EXPECT_EQ(out[3] & 0x80, 0) << "RA";
  EXPECT_EQ(asked(outside(), Forwarding::full).outcome, Outcome::server_failure);
  EXPECT_EQ(out[3] & 0x80, 0x80);
  EXPECT_EQ(asked(outside(Type::axfr), Forwarding::on).outcome, Outcome::refused);
  EXPECT_EQ(asked(outside(Type::a, 3), Forwarding::on).outcome, Outcome::refused);
  EXPECT_EQ(asked(outside().opt({.version = 1}), Forwarding::on).outcome, Outcome::bad_version);
  EXPECT_EQ(asked(outside().tail({1}), Forwarding::on).outcome, Outcome::format_error);
  EXPECT_EQ(
      asked(test::MessageBuilder().question("ready.spartan", Type::a), Forwarding::on).outcome,
      Outcome::answered);
  EXPECT_EQ(out[3] & 0x80, 0x80) << "RA in our own answers too";
}

}  // namespace
}  // namespace viaduct::dns
