// Every answer means to ldns, an independent implementation, what the table says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "dns/respond.h"
#include "dns/zones/zones.h"
#include "tests/support/dns_message.h"
#include "tests/support/ldns.h"

namespace viaduct::dns {
namespace {

using test::Octets;
using testing::ElementsAre;
using testing::UnorderedElementsAreArray;

std::string random_label(std::mt19937& random) {
  std::string label(1 + random() % 63, ' ');
  for (char& c : label) c = "abcdefghijklmnopqrstuvwxyz0123456789-"[random() % 37];
  return label;
}

std::string random_case(std::string text, std::mt19937& random) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z' && random() % 2 == 0) c = static_cast<char>(c - 32);
  return text;
}

/// A complete snapshot with a dictionary of random names.
service::Snapshot dictionary(std::mt19937& random, std::size_t names) {
  std::map<std::string, std::vector<base::Address>> made;
  for (std::size_t i = 0; i < names; ++i) {
    std::string name = random_label(random);
    if (random() % 2 == 0) name += ".marathon";
    std::vector<base::Address>& addresses = made[name];
    const auto low = static_cast<std::uint8_t>(i), high = static_cast<std::uint8_t>(i >> 8);
    if (random() % 4 != 0) addresses.push_back(base::Address::v4({11, high, low, 1}));
    if (random() % 8 == 0) addresses.push_back(base::Address::v4({11, high, low, 2}));
    if (addresses.empty() || random() % 4 == 0)
      addresses.push_back(
          base::Address::v6({0xfd, 1, 0, 0xc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low}));
  }
  service::Snapshot snapshot;
  snapshot.revision = 99;
  snapshot.complete = true;
  std::vector<service::NamedVip> all;
  for (auto& [name, addresses] : made) all.push_back({name, addresses});
  snapshot.names = std::move(all);
  return snapshot;
}

test::LdnsPacket ask(const Table& table, const Octets& query, Transport transport) {
  Octets out(answer_capacity(transport));
  out.resize(respond(query, table, transport, out).octets);
  return test::ldns_parse(out);
}

std::vector<std::string> wanted_records(const std::string& asked, const service::NamedVip& vip,
                                        bool v4) {
  std::vector<std::string> records;
  for (const base::Address& address : vip.addresses)
    if (address.is_v4() == v4)
      records.push_back(asked + ". 5 IN " + (v4 ? "A " : "AAAA ") + address.to_string());
  return records;
}

constexpr const char* kSuffixes[] = {"l4lb.thisdcos.directory", "l4lb.thisdcos.global",
                                     "dclb.thisdcos.directory", "dclb.thisdcos.global"};

TEST(RespondLdns, EveryNameOfADictionaryHasItsAddressesInLdnsEyes) {
  std::mt19937 random(5);
  const service::Snapshot snapshot = dictionary(random, 2000);
  const Table table = *build_table(snapshot, {}).table;
  for (const service::NamedVip& vip : snapshot.names) {
    for (const bool v4 : {true, false}) {
      const std::string asked = random_case(vip.name + "." + kSuffixes[random() % 4], random);
      test::MessageBuilder query(static_cast<std::uint16_t>(random()));
      query.question(asked, v4 ? Type::a : Type::aaaa);
      const bool edns = random() % 2 == 0;
      if (edns) query.opt({.dnssec_ok = random() % 2 == 0});
      const test::LdnsPacket packet =
          ask(table, query, random() % 2 == 0 ? Transport::udp : Transport::tcp);
      ASSERT_TRUE(packet) << asked;
      EXPECT_EQ(ldns_pkt_get_rcode(packet.get()), LDNS_RCODE_NOERROR);
      EXPECT_TRUE(ldns_pkt_aa(packet.get()));
      EXPECT_EQ(ldns_pkt_edns(packet.get()), edns);
      const auto wanted = wanted_records(asked, vip, v4);
      EXPECT_THAT(test::ldns_records(ldns_pkt_answer(packet.get())),
                  UnorderedElementsAreArray(wanted));
      EXPECT_EQ(ldns_rr_list_rr_count(ldns_pkt_authority(packet.get())), wanted.empty() ? 1u : 0u);
    }
  }
}

TEST(RespondLdns, NegativeAnswersCarryTheSoaOfTheSuffixThatWasAsked) {
  std::mt19937 random(6);
  const service::Snapshot snapshot = dictionary(random, 100);
  const Table table = *build_table(snapshot, {.ttl_s = 5, .negative_ttl_s = 2}).table;
  for (int i = 0; i < 500; ++i) {
    const std::string suffix = random_case(kSuffixes[random() % 4], random);
    const std::string asked = random_label(random) + "." + random_label(random) + "." + suffix;
    const test::LdnsPacket packet =
        ask(table, test::MessageBuilder().question(asked, Type::a), Transport::udp);
    ASSERT_TRUE(packet) << asked;
    EXPECT_EQ(ldns_pkt_get_rcode(packet.get()), LDNS_RCODE_NXDOMAIN);
    EXPECT_THAT(
        test::ldns_records(ldns_pkt_authority(packet.get())),
        ElementsAre(suffix + ". 2 IN SOA ns.spartan. support.mesosphere.com. 99 60 180 86400 2"));
  }
}

TEST(RespondLdns, ErrorsParse) {
  const Table table = *build_table(service::Snapshot{}, {}).table;
  const auto rcode = [&](const test::MessageBuilder& query) {
    const test::LdnsPacket packet = ask(table, query, Transport::udp);
    return packet ? static_cast<int>(ldns_pkt_get_rcode(packet.get())) : -1;
  };
  const auto asked = [] {
    return test::MessageBuilder().question("a.l4lb.thisdcos.directory", Type::a);
  };
  EXPECT_EQ(rcode(asked()), LDNS_RCODE_SERVFAIL);
  EXPECT_EQ(rcode(asked().tail({1})), LDNS_RCODE_FORMERR);
  EXPECT_EQ(rcode(test::MessageBuilder(1, 0x2000)), LDNS_RCODE_NOTIMPL);
  EXPECT_EQ(rcode(test::MessageBuilder().question("example", Type::a)), LDNS_RCODE_REFUSED);
  const test::LdnsPacket bad_version = ask(table, asked().opt({.version = 1}), Transport::udp);
  ASSERT_TRUE(bad_version);
  EXPECT_EQ(ldns_pkt_edns_extended_rcode(bad_version.get()), 1);
  EXPECT_EQ(ldns_pkt_edns_version(bad_version.get()), 0);
}

}  // namespace
}  // namespace viaduct::dns
