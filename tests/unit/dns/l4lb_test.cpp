#include "dns/zones/l4lb.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace viaduct::dns {
namespace {

service::Snapshot snapshot() {
  service::Snapshot made;
  made.revision = 42;
  made.complete = true;
  made.names = {
      {"web.marathon", {*base::Address::parse("11.0.0.1"), *base::Address::parse("fd01:c::1")}},
      {"x.y", {*base::Address::parse("11.0.0.2")}}};
  return made;
}

TEST(L4lb, HasTheAddressesOfEveryNamedVipWithSoaAndNs) {
  std::vector<std::string> texts;
  const Zone zone = zones::l4lb(snapshot(), {}).zone;
  for (const Record& record : Table::build({&zone, 1}).table.records()) {
    const RecordText text = to_text(record);
    texts.push_back(text.name + " " + std::to_string(record.ttl_s) + " " + text.rtype + " " +
                    text.host);
  }
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts,
            (std::vector<std::string>{"l4lb.thisdcos.directory. 3600 NS ns.spartan.",
                                      "l4lb.thisdcos.directory. 5 SOA ns.spartan.",
                                      "web.marathon.l4lb.thisdcos.directory. 5 A 11.0.0.1",
                                      "web.marathon.l4lb.thisdcos.directory. 5 AAAA fd01:c::1",
                                      "x.y.l4lb.thisdcos.directory. 5 A 11.0.0.2"}));
}

TEST(L4lb, HasTheRevisionAsSerialAndTheConfiguredTimes) {
  const Zone zone = zones::l4lb(snapshot(), {.ttl_s = 9, .negative_ttl_s = 3}).zone;
  EXPECT_EQ(zone.soa.serial, 42u);
  EXPECT_EQ(zone.soa.ttl_s, 9u);
  EXPECT_EQ(zone.soa.minimum_s, 3u);
  EXPECT_EQ(zone.records.back().ttl_s, 9u);
}

TEST(L4lb, IsNotReadyBeforeTheSnapshotIsComplete) {
  service::Snapshot incomplete = snapshot();
  incomplete.complete = false;
  EXPECT_FALSE(zones::l4lb(incomplete, {}).zone.ready);
  const Zone zone = zones::l4lb(incomplete, {}).zone;
  EXPECT_EQ(Table::build({&zone, 1}).table.record_count(), 0u);
}

TEST(L4lb, LeavesOutANameThatIsTooLongAndKeepsTheOthers) {
  service::Snapshot bad = snapshot();
  std::string long_name = std::string(63, 'a');
  for (int i = 0; i < 3; ++i) long_name += '.' + std::string(63, 'a');
  service::NamedVips::Editor names(bad.names);
  names.put({long_name, {*base::Address::parse("11.0.0.3")}});
  bad.names = names.finish();
  const Table::Built built = build_table(bad, {});
  ASSERT_EQ(built.rejected.size(), 1u);
  EXPECT_NE(built.rejected[0].context.find("aaa"), std::string::npos);
  EXPECT_EQ(built.table.record_count(), build_table(snapshot(), {}).table.record_count());
}

}  // namespace
}  // namespace viaduct::dns
