#include "dns/zones/l4lb.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dns/zones/zones.h"
#include "service/vip.h"

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

/// "owner ttl type data" of what is in the zone.
std::vector<std::string> texts(const Table& table) {
  const Name apex = *Name::parse(service::kL4lbZone);
  std::vector<std::string> texts;
  for (const Record& record : table.records()) {
    if (!record.owner.is_within(apex)) continue;
    const RecordText text = to_text(record);
    texts.push_back(text.name + " " + std::to_string(record.ttl_s) + " " + text.rtype + " " +
                    text.host);
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

TEST(L4lb, HasTheAddressesOfEveryNamedVipWithSoaAndNs) {
  EXPECT_EQ(texts(*build_table(snapshot(), {}).table),
            (std::vector<std::string>{"l4lb.thisdcos.directory. 3600 NS ns.spartan.",
                                      "l4lb.thisdcos.directory. 5 SOA ns.spartan.",
                                      "web.marathon.l4lb.thisdcos.directory. 5 A 11.0.0.1",
                                      "web.marathon.l4lb.thisdcos.directory. 5 AAAA fd01:c::1",
                                      "x.y.l4lb.thisdcos.directory. 5 A 11.0.0.2"}));
}

TEST(L4lb, HasTheRevisionAsSerialAndTheConfiguredTimes) {
  const ZoneOptions options{.ttl_s = 9, .negative_ttl_s = 3};
  const ZoneHead head = zones::l4lb(snapshot(), options);
  EXPECT_EQ(head.soa.serial, 42u);
  EXPECT_EQ(head.soa.ttl_s, 9u);
  EXPECT_EQ(head.soa.minimum_s, 3u);
  const service::Snapshot now = snapshot();
  const service::NamedVip& vip = *now.names.find("x.y");
  EXPECT_EQ(zones::l4lb_records(vip, *zones::l4lb_name(vip), options).front().ttl_s, 9u);
}

TEST(L4lb, IsNotReadyBeforeTheSnapshotIsComplete) {
  service::Snapshot incomplete = snapshot();
  incomplete.complete = false;
  EXPECT_FALSE(zones::l4lb(incomplete, {}).ready);
  EXPECT_EQ(texts(*build_table(incomplete, {}).table).size(), 2u);  // SOA and NS
}

TEST(L4lb, TellsThePortsOfNamedVips) {
  service::Snapshot made = snapshot();
  const auto service = [](std::string name, const char* vip, std::uint16_t port,
                          base::Protocol protocol = base::Protocol::tcp) {
    service::Service one;
    one.key = {*base::Address::parse(vip), port, protocol};
    one.name = std::move(name);
    return std::make_shared<const service::Service>(std::move(one));
  };
  made.services = {
      service("web.marathon", "11.0.0.1", 80), service("web.marathon", "fd01:c::1", 80),
      service("x.y", "11.0.0.2", 53, base::Protocol::udp), service("", "192.0.2.1", 80)};
  std::vector<std::string> texts;
  for (const Record& record : build_table(made, {}).table->records())
    if (record.type == Type::srv)
      texts.push_back(to_text(record).name + " " + to_text(record).host);
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "_53._udp.x.y.l4lb.thisdcos.directory. x.y.l4lb.thisdcos.directory.:53",
                       "_80._tcp.web.marathon.l4lb.thisdcos.directory. "
                       "web.marathon.l4lb.thisdcos.directory.:80"}));
}

TEST(L4lb, LeavesOutANameThatIsTooLongAndKeepsTheOthers) {
  service::Snapshot bad = snapshot();
  std::string long_name = std::string(63, 'a');
  for (int i = 0; i < 3; ++i) long_name += '.' + std::string(63, 'a');
  service::NamedVips::Editor names(bad.names);
  names.put({long_name, {*base::Address::parse("192.0.2.3")}});
  bad.names = names.finish();
  const BuiltTable built = build_table(bad, {});
  ASSERT_EQ(built.rejected.size(), 1u);
  EXPECT_NE(built.rejected[0].context.find("aaa"), std::string::npos);
  EXPECT_EQ(built.table->record_count(), build_table(snapshot(), {}).table->record_count());
}

}  // namespace
}  // namespace viaduct::dns
