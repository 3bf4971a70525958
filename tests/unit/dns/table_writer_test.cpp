#include "dns/table_writer.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/errors.h"

namespace viaduct::dns {
namespace {

Name name(std::string_view text) { return Name::parse(text).value(); }

ZoneHead head(std::string_view apex, std::uint32_t serial = 1) {
  ZoneHead made;
  made.apex = name(apex);
  made.soa.primary = name("ns.example");
  made.soa.mailbox = name("admin.example");
  made.soa.serial = serial;
  return made;
}

std::vector<Record> addresses(const Name& owner, unsigned records) {
  std::vector<Record> list;
  for (unsigned i = 0; i < records; ++i)
    list.push_back(address_record(owner, base::Address::v4(0x0b000000 + i), 5));
  return list;
}

bool exists(const Table& table, std::string_view text) {
  Found found;
  return table.find(FoldedName(name(text).wire()), found);
}

TEST(TableWriter, MakesAndRemovesTheNamesBetween) {
  TableWriter writer;
  writer.set_zone(head("example"));
  const Name deep = name("a.b.c.example");
  writer.set_name(name("example"), deep, addresses(deep, 1));
  const auto table = writer.table();
  for (const char* text : {"a.b.c.example", "b.c.example", "c.example", "example"})
    EXPECT_TRUE(exists(*table, text)) << text;
  const Name middle = name("c.example");
  writer.set_name(name("example"), middle, addresses(middle, 1));
  writer.set_name(name("example"), deep, {});
  EXPECT_FALSE(exists(*table, "b.c.example"));
  EXPECT_TRUE(exists(*table, "c.example")) << "it has a record of its own";
  writer.set_name(name("example"), middle, {});
  EXPECT_FALSE(exists(*table, "c.example"));
  EXPECT_TRUE(exists(*table, "example"));
  EXPECT_EQ(writer.table()->record_count(), 1u);  // the SOA
}

TEST(TableWriter, KeepsTheApexWithItsRecordsWhenTheSerialGrows) {
  TableWriter writer;
  const Name apex = name("example");
  writer.set_zone(head("example", 1));
  writer.set_name(apex, apex, {ns_record(apex, name("ns.example"), 60)});
  writer.set_zone(head("example", 2));
  const auto records = writer.table()->records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1], soa_record(apex, head("example", 2).soa));
}

TEST(TableWriter, GrowsAsNamesCome) {
  TableWriter writer(allocate_plain, 5, 4);
  writer.set_zone(head("example"));
  for (unsigned i = 0; i < 3000; ++i) {
    const Name owner = name("n" + std::to_string(i) + ".example");
    writer.set_name(name("example"), owner, addresses(owner, i % 20));
  }
  EXPECT_TRUE(writer.take_rejected().empty());
  for (unsigned i = 0; i < 3000; ++i)
    EXPECT_EQ(exists(*writer.table(), "n" + std::to_string(i) + ".example"), i % 20 != 0) << i;
}

TEST(TableWriter, SaysWhatThereIsNoMemoryFor) {
  std::size_t calls = 0;
  TableWriter writer(
      [&](std::size_t names) -> base::Result<AnswerMemory> {
        if (++calls > 1) return base::from_errno(ENOMEM, "memory");
        return allocate_plain(names);
      },
      1, 4);
  writer.set_zone(head("example"));
  for (unsigned i = 0; i < 5; ++i) {
    const Name owner = name("n" + std::to_string(i) + ".example");
    writer.set_name(name("example"), owner, addresses(owner, 1));
  }
  EXPECT_FALSE(writer.take_rejected().empty());
  EXPECT_TRUE(exists(*writer.table(), "n2.example"));
  EXPECT_FALSE(exists(*writer.table(), "n4.example"));
}

TEST(TableWriter, RandomlyChangedEqualsOneMadeAnew) {
  std::mt19937 random(11);
  TableWriter writer(allocate_plain, 9, 8);
  writer.set_zone(head("example"));
  std::map<Name, std::vector<Record>> model;
  for (unsigned turn = 0; turn < 4000; ++turn) {
    std::string text = "example";
    for (unsigned labels = 1 + random() % 4; labels > 0; --labels)
      text = std::string(1, static_cast<char>('a' + random() % 3)) + "." + text;
    const Name owner = name(text);
    const auto records = addresses(owner, random() % 3 ? 0 : random() % 20);
    writer.set_name(name("example"), owner, records);
    model[owner] = records;
  }
  Zone zone{head("example"), {}};
  for (const auto& [owner, records] : model)
    zone.records.insert(zone.records.end(), records.begin(), records.end());
  const auto fresh = build_table({&zone, 1}).table;
  EXPECT_EQ(writer.table()->records(), fresh->records());
  EXPECT_EQ(writer.table()->slots().size(), fresh->slots().size()) << "names only between";
  EXPECT_EQ(writer.table()->record_count(), fresh->record_count());
}

TEST(TableWriter, OfAWholeZoneWritesWhatDiffers) {
  TableWriter writer;
  Zone zone{head("example"), addresses(name("a.example"), 2)};
  writer.set_whole(zone);
  zone.records = addresses(name("b.example"), 1);
  writer.set_whole(zone);
  EXPECT_FALSE(exists(*writer.table(), "a.example"));
  EXPECT_TRUE(exists(*writer.table(), "b.example"));
  zone.ready = false;
  zone.records.clear();
  writer.set_whole(zone);
  EXPECT_TRUE(exists(*writer.table(), "b.example")) << "what is not known takes nothing away";
  EXPECT_FALSE(writer.table()->zones()[0].ready);
}

}  // namespace
}  // namespace viaduct::dns
