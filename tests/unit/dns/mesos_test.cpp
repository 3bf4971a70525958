#include "dns/zones/mesos.h"

#include <gmock/gmock.h>

#include "dns/zones/mesos_records.h"
#include "tests/unit/dns/task_rows.h"

namespace viaduct::dns {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

/// The records of one task in the domain `mesos`.
std::vector<std::string> records(const service::TaskRow& row) {
  zones::BuiltRecords built;
  zones::add_task(row, zones::constant("mesos"), {}, built);
  EXPECT_THAT(built.rejected, IsEmpty());
  return texts(zones::mesos(running({}), {}).front(), built.records);
}

TEST(MesosZone, OfATaskWithoutDiscoveryName) {
  service::TaskRow row = task("Web.App");
  row.ports = {31000};
  row.discovery_ports = {{80, "http", "tcp"}};
  EXPECT_THAT(
      records(row),
      UnorderedElementsAre(
          "web-app.marathon.mesos. A 198.51.100.5", "web-app.marathon.mesos. AAAA 2001:db8::5",
          "web-app-iffe9-s12.marathon.mesos. A 198.51.100.5",
          "web-app-iffe9-s12.marathon.mesos. AAAA 2001:db8::5",
          "web-app.marathon.slave.mesos. A 192.0.2.21",
          "web-app-iffe9-s12.marathon.slave.mesos. A 192.0.2.21",
          "_web-app._tcp.marathon.slave.mesos. SRV 0 1 "
          "web-app-iffe9-s12.marathon.slave.mesos.:31000",
          "_web-app._udp.marathon.slave.mesos. SRV 0 1 "
          "web-app-iffe9-s12.marathon.slave.mesos.:31000",
          "_web-app._tcp.marathon.mesos. SRV 0 1 web-app-iffe9-s12.marathon.slave.mesos.:31000",
          "_web-app._udp.marathon.mesos. SRV 0 1 web-app-iffe9-s12.marathon.slave.mesos.:31000"));
}

TEST(MesosZone, OfATaskWithDiscoveryName) {
  service::TaskRow row = task("ignored");
  row.discovery = "disc";
  row.ports = {31000};
  row.discovery_ports = {{80, "http", "tcp"}, {53, "", ""}, {0, "", "udp,tcp"}, {9, "", "sctp"}};
  EXPECT_THAT(
      records(row),
      UnorderedElementsAre(
          "disc.marathon.mesos. A 198.51.100.5", "disc.marathon.mesos. AAAA 2001:db8::5",
          "disc-iffe9-s12.marathon.mesos. A 198.51.100.5",
          "disc-iffe9-s12.marathon.mesos. AAAA 2001:db8::5",
          "disc.marathon.slave.mesos. A 192.0.2.21",
          "disc-iffe9-s12.marathon.slave.mesos. A 192.0.2.21",
          "_disc._tcp.marathon.slave.mesos. SRV 0 1 disc-iffe9-s12.marathon.slave.mesos.:31000",
          "_disc._udp.marathon.slave.mesos. SRV 0 1 disc-iffe9-s12.marathon.slave.mesos.:31000",
          "_disc._tcp.marathon.mesos. SRV 0 1 disc-iffe9-s12.marathon.mesos.:80",
          "_http._disc._tcp.marathon.mesos. SRV 0 1 disc-iffe9-s12.marathon.mesos.:80",
          "_disc._tcp.marathon.mesos. SRV 0 1 disc-iffe9-s12.marathon.mesos.:53",
          "_disc._udp.marathon.mesos. SRV 0 1 disc-iffe9-s12.marathon.mesos.:53",
          "_disc._udptcp.marathon.mesos. SRV 0 1 disc-iffe9-s12.marathon.mesos.:0",
          "_disc._sctp.marathon.mesos. SRV 0 1 disc-iffe9-s12.marathon.mesos.:9"));
}

TEST(MesosZone, ADiscoveryNameCountsAsWrittenToo) {
  service::TaskRow row = task("ignored");
  row.discovery = "web.shop";
  row.discovery_ports = {{80, "", "tcp"}};
  EXPECT_THAT(records(row), IsSupersetOf({"web-shop.marathon.mesos. A 198.51.100.5",
                                          "web.shop.marathon.mesos. A 198.51.100.5",
                                          "web.shop-iffe9-s12.marathon.mesos. A 198.51.100.5",
                                          "_web-shop._tcp.marathon.mesos. SRV 0 1 "
                                          "web-shop-iffe9-s12.marathon.mesos.:80",
                                          "_web.shop._tcp.marathon.mesos. SRV 0 1 "
                                          "web.shop-iffe9-s12.marathon.mesos.:80"}));
  row.discovery = "***";
  EXPECT_THAT(records(row), Contains("***.marathon.mesos. A 198.51.100.5"));
}

TEST(MesosZone, ANameOfWhichNothingIsLeftHasWhatTheTasksOwnNameAndSrvGive) {
  service::TaskRow row = task("***");
  row.ports = {31000};
  EXPECT_THAT(records(row),
              UnorderedElementsAre(
                  "-iffe9-s12.marathon.mesos. A 198.51.100.5",
                  "-iffe9-s12.marathon.mesos. AAAA 2001:db8::5",
                  "-iffe9-s12.marathon.slave.mesos. A 192.0.2.21",
                  "_._tcp.marathon.slave.mesos. SRV 0 1 -iffe9-s12.marathon.slave.mesos.:31000",
                  "_._udp.marathon.slave.mesos. SRV 0 1 -iffe9-s12.marathon.slave.mesos.:31000",
                  "_._tcp.marathon.mesos. SRV 0 1 -iffe9-s12.marathon.slave.mesos.:31000",
                  "_._udp.marathon.mesos. SRV 0 1 -iffe9-s12.marathon.slave.mesos.:31000"));
}

TEST(MesosZone, ANameThatNobodyCanAskForIsLeftOut) {
  service::TaskRow row = task("web");
  row.framework = "!!!";
  EXPECT_THAT(records(row), IsEmpty());
  row = task("ignored");
  row.discovery = "a..b";
  for (const std::string& line : records(row)) EXPECT_THAT(line, Not(StartsWith("a..b")));
  row = task(std::string(63, 'a'));
  row.ports = {31000};
  const auto lines = records(row);
  EXPECT_EQ(lines.size(), 6u) << "the SRV names would have labels of 64 octets";
  EXPECT_THAT(lines,
              Contains(std::string(53, 'a') + "-iffe9-s12.marathon.slave.mesos. A 192.0.2.21"));
}

TEST(MesosZone, TooLongANameIsToldAndTakesNothingElseAlong) {
  service::TaskRow row = task("web");
  row.framework = std::string(62, 'f');
  for (int i = 0; i < 3; i++) row.framework += '.' + std::string(62, 'f');
  zones::BuiltRecords built;
  zones::add_mesos_task(row, {}, built);
  EXPECT_FALSE(built.rejected.empty());
  EXPECT_THAT(lines_below("mesos", running({row, task("db")})),
              Contains("db.marathon.mesos. A 198.51.100.5"));
}

TEST(MesosZone, TasksOfOneNameStandTogether) {
  service::TaskRow other = task("web", "web.2");
  other.addresses = {{service::AddressSource::netinfo, address("198.51.100.6")}};
  EXPECT_THAT(lines_below("mesos", running({task("web"), other})),
              IsSupersetOf({"web.marathon.mesos. A 198.51.100.5",
                            "web.marathon.mesos. A 198.51.100.6", "slave.mesos. A 192.0.2.21"}));
}

TEST(MesosZone, HasMastersWithTheirNumbers) {
  ZoneOptions options;
  options.masters.all = {address("192.0.2.1"), address("192.0.2.2")};
  const auto lines = [&] { return lines_below("mesos", running({}), options); };
  EXPECT_THAT(lines(), ElementsAre("_leader._tcp.mesos. SRV 0 1 leader.mesos.:5050",
                                   "_leader._udp.mesos. SRV 0 1 leader.mesos.:5050",
                                   "leader.mesos. A 192.0.2.1", "leader.mesos. A 192.0.2.2",
                                   "master.mesos. A 192.0.2.1", "master.mesos. A 192.0.2.2",
                                   "master0.mesos. A 192.0.2.1", "master1.mesos. A 192.0.2.2"));
  options.masters.leader = address("192.0.2.2");
  EXPECT_THAT(lines(), Not(Contains("leader.mesos. A 192.0.2.1")));
  EXPECT_THAT(lines(), Contains("leader.mesos. A 192.0.2.2"));
}

TEST(MesosZone, ItsCopyHasThePriorityOneAndTargetsOfItsOwn) {
  service::TaskRow row = task("web");
  row.ports = {31000};
  EXPECT_THAT(lines_below("mesos.thisdcos.directory", running({row})),
              IsSupersetOf({"web.marathon.mesos.thisdcos.directory. A 198.51.100.5",
                            "_web._tcp.marathon.mesos.thisdcos.directory. SRV 1 1 "
                            "web-iffe9-s12.marathon.slave.mesos.thisdcos.directory.:31000"}));
}

TEST(MesosZone, IsOffOrNotReadyWhenItIsToBe) {
  ZoneOptions options;
  options.mesos = MesosMode::off;
  EXPECT_TRUE(zones::mesos(running({}), options).empty());
  auto incomplete = running({task("web")});
  incomplete.complete = false;
  for (const ZoneHead& head : zones::mesos(incomplete, {})) EXPECT_FALSE(head.ready);
  zones::BuiltRecords built;
  zones::add_mesos_task(task("web"), options, built);
  zones::add_mesos_masters(zones::masters_of(Masters{{address("192.0.2.1")}, {}}), options, built);
  zones::add_mesos_server(options, built);
  EXPECT_TRUE(built.records.empty());
}

}  // namespace
}  // namespace viaduct::dns
