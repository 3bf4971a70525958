#include "dns/table_writer.h"

#include <gtest/gtest.h>

#include <random>

#include "base/errors.h"
#include "tests/support/dns_message.h"

namespace viaduct::dns {
namespace {

Name name(std::string_view text) { return Name::parse(text).value(); }
base::Address address(unsigned i) { return base::Address::v4(0x0b000000 + i); }

Zone zone(std::string_view apex) {
  Zone made;
  made.apex = name(apex);
  made.soa.primary = name("ns.example");
  made.soa.mailbox = name("admin.example");
  return made;
}

/// What a table says about a name and type: the number of records, 0 for NODATA, -1 for NXDOMAIN,
/// -2 outside.
int look_up(const Table& table, std::string_view text, Type type) {
  const test::Octets message = test::MessageBuilder().question(text, type);
  const Question question = parse_question(message);
  FoldedName folded(question.name);
  if (!table.locate(question, folded)) return -2;
  Found found;
  if (!table.find(folded, found)) return -1;
  const auto set = found.find(question.type);
  return set ? set->records : 0;
}

TEST(Table, TellsDataNoDataNoNameAndForeignNamesApart) {
  Zone example = zone("l4lb.example");
  example.records = {address_record(name("Web.one.l4lb.example"), address(1), 5),
                     address_record(name("web.one.l4lb.example"), address(2), 5)};
  const Table table = *build_table({&example, 1}).table;
  EXPECT_EQ(look_up(table, "WEB.one.L4LB.example", Type::a), 2);
  EXPECT_EQ(look_up(table, "web.one.l4lb.example", Type::aaaa), 0);
  EXPECT_EQ(look_up(table, "web.one.l4lb.example", Type::any), 2);
  EXPECT_EQ(look_up(table, "l4lb.example", Type::soa), 1);
  EXPECT_EQ(look_up(table, "l4lb.example", Type::ns), 0);
  EXPECT_EQ(look_up(table, "two.l4lb.example", Type::a), -1);
  EXPECT_EQ(look_up(table, "below.web.one.l4lb.example", Type::a), -1);
  EXPECT_EQ(look_up(table, "example", Type::a), -2);
  EXPECT_EQ(look_up(table, "xl4lb.example", Type::a), -2);
  EXPECT_EQ(look_up(table, ".", Type::a), -2);
}

TEST(Table, HasEmptyNonTerminals) {
  Zone example = zone("l4lb.example");
  example.records = {address_record(name("a.b.c.l4lb.example"), address(1), 5)};
  const Table table = *build_table({&example, 1}).table;
  for (const char* text : {"b.c.l4lb.example", "c.l4lb.example"})
    for (const Type type : {Type::a, Type::any, Type::soa})
      EXPECT_EQ(look_up(table, text, type), 0);
  EXPECT_EQ(look_up(table, "x.c.l4lb.example", Type::a), -1);
}

TEST(Table, AnswersAliasesLikeTheApex) {
  Zone example = zone("l4lb.thisdcos.directory");
  example.aliases = {name("l4lb.thisdcos.global"), name("dclb.thisdcos.directory")};
  example.records = {address_record(name("web.l4lb.thisdcos.directory"), address(1), 5)};
  const Table table = *build_table({&example, 1}).table;
  for (const char* suffix :
       {"L4LB.thisdcos.directory", "l4lb.thisdcos.Global", "dclb.thisdcos.directory"}) {
    EXPECT_EQ(look_up(table, std::string("web.") + suffix, Type::a), 1);
    EXPECT_EQ(look_up(table, std::string("no.") + suffix, Type::a), -1);
    EXPECT_EQ(look_up(table, suffix, Type::soa), 1);
  }
}

TEST(Table, DoesNotTakeOctetsInsideALabelForASuffix) {
  Zone example = zone("ab.cd");
  const Table table = *build_table({&example, 1}).table;
  // One label that ends with the octets of "ab.cd".
  const test::Octets message =
      test::MessageBuilder().raw_question(test::Octets{7, 'x', 2, 'a', 'b', 2, 'c', 'd', 0});
  const Question question = parse_question(message);
  ASSERT_EQ(question.verdict, Verdict::query);
  FoldedName folded(question.name);
  EXPECT_FALSE(table.locate(question, folded));
}

TEST(Table, TakesTheLongestOfNestedZones) {
  std::vector<Zone> zones = {zone("example"), zone("inner.example")};
  zones[0].records = {address_record(name("a.example"), address(1), 5)};
  zones[1].records = {address_record(name("a.inner.example"), address(1), 5),
                      address_record(name("a.inner.example"), address(2), 5)};
  const Table table = *build_table(zones).table;
  EXPECT_EQ(look_up(table, "a.example", Type::a), 1);
  EXPECT_EQ(look_up(table, "a.inner.example", Type::a), 2);
  EXPECT_EQ(look_up(table, "inner.example", Type::soa), 1);
}

TEST(Table, LeavesOutWhatLiesOutsideAndKeepsTheRest) {
  Zone example = zone("l4lb.example");
  example.records = {address_record(name("other.example"), address(1), 5),
                     address_record(name("web.l4lb.example"), address(2), 5)};
  const BuiltTable built = build_table({&example, 1});
  ASSERT_EQ(built.rejected.size(), 1u);
  EXPECT_EQ(built.rejected[0].code, base::Errc::out_of_range);
  EXPECT_NE(built.rejected[0].context.find("other.example."), std::string::npos);
  EXPECT_EQ(look_up(*built.table, "web.l4lb.example", Type::a), 1);
}

TEST(Table, LimitsTheRecordsOfASet) {
  Zone example = zone("l4lb.example");
  for (unsigned i = 0; i < 5000; ++i)
    example.records.push_back(address_record(name("web.l4lb.example"), address(i), 5));
  const BuiltTable built = build_table({&example, 1});
  EXPECT_EQ(look_up(*built.table, "web.l4lb.example", Type::a), kMaxBodyOctets / 16);
  ASSERT_EQ(built.rejected.size(), 1u);
  EXPECT_EQ(built.rejected[0].code, base::Errc::too_large);
}

TEST(Table, RefusesAnAliasThatWouldGrowTooMuch) {
  Zone example = zone("a-very-long-zone-name.directory.example");
  example.aliases = {name("x")};
  const BuiltTable built = build_table({&example, 1});
  EXPECT_EQ(built.rejected.size(), 1u);
  EXPECT_EQ(look_up(*built.table, "a.x", Type::a), -2);
}

TEST(Table, GivesASetTheShortestTtlOfItsRecordsAndCountsRepeatedOnesOnce) {
  Zone example = zone("l4lb.example");
  example.records = {address_record(name("web.l4lb.example"), address(1), 60),
                     address_record(name("WEB.l4lb.example"), address(1), 30),
                     address_record(name("web.l4lb.example"), address(2), 20)};
  const Table table = *build_table({&example, 1}).table;
  const std::vector<Record> wanted = {address_record(name("web.l4lb.example"), address(1), 20),
                                      address_record(name("web.l4lb.example"), address(2), 20),
                                      soa_record(example.apex, example.soa)};
  EXPECT_EQ(table.records(), wanted);
  EXPECT_EQ(table.record_count(), 3u);
}

TEST(Table, FindsEachOfManyRandomNamesAndNoOther) {
  std::mt19937 random(20);
  Zone example = zone("l4lb.example");
  std::vector<std::string> names;
  for (unsigned i = 0; i < 5000; ++i) {
    std::string label = std::to_string(i);
    for (unsigned n = random() % 40; n > 0; --n) label += static_cast<char>('a' + random() % 26);
    names.push_back(label + (i % 3 == 0 ? ".kafka" : ".marathon") + ".l4lb.example");
    example.records.push_back(address_record(name(names.back()), address(i), 5));
  }
  const Table table = *build_table({&example, 1}).table;
  for (const std::string& text : names) {
    EXPECT_EQ(look_up(table, text, Type::a), 1) << text;
    EXPECT_EQ(look_up(table, text, Type::aaaa), 0) << text;
    EXPECT_EQ(look_up(table, "x" + text, Type::a), -1) << text;
  }
}

TEST(Table, WithoutZonesKnowsNothing) {
  EXPECT_EQ(look_up(*build_table({}).table, "a.example", Type::a), -2);
}

TEST(RecordText, SaysWhatADnsToolSays) {
  const RecordText a = to_text(address_record(name("web.example"), address(1), 5));
  EXPECT_EQ(a.name, "web.example.");
  EXPECT_EQ(a.host, "11.0.0.1");
  EXPECT_EQ(a.rtype, "A");
  EXPECT_EQ(to_text(address_record(name("x"), *base::Address::parse("fd01:c::5"), 5)).rtype,
            "AAAA");
  EXPECT_EQ(to_text(ns_record(name("x"), name("ns.spartan"), 5)).host, "ns.spartan.");
  const RecordText other = to_text({name("x"), static_cast<Type>(99), 5, {0xab, 1}});
  EXPECT_EQ(other.rtype, "TYPE99");
  EXPECT_EQ(other.host, "\\# 2 ab01");
}

}  // namespace
}  // namespace viaduct::dns
