// The zones dcos and zk, and the names of containers' addresses.

#include "dns/zones/dcos.h"

#include <gmock/gmock.h>

#include "dns/zones/reverse.h"
#include "dns/zones/zk.h"
#include "tests/unit/dns/task_rows.h"

namespace viaduct::dns {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const std::string kZone = ".dcos.thisdcos.directory. ";

std::vector<std::string> records(const service::Snapshot& snapshot,
                                 const ZoneOptions& options = {}) {
  zones::BuiltRecords built;
  zones::add_dcos_masters(zones::masters_of(options.masters), options, built);
  for (const auto& task : snapshot.tasks) zones::add_dcos_task(task->row, options, built);
  EXPECT_THAT(built.rejected, IsEmpty());
  return texts(zones::dcos(snapshot, options), built.records);
}

TEST(Dcos, HasAContainersAddressesThreeTimes) {
  EXPECT_THAT(records(running({task("web")})),
              ElementsAre("web.marathon.agentip" + kZone + "A 192.0.2.21",
                          "web.marathon.autoip" + kZone + "A 198.51.100.5",
                          "web.marathon.autoip" + kZone + "AAAA 2001:db8::5",
                          "web.marathon.containerip" + kZone + "A 198.51.100.5",
                          "web.marathon.containerip" + kZone + "AAAA 2001:db8::5"));
}

TEST(Dcos, APortOfTheHostMakesAutoipTheAgents) {
  service::TaskRow row = task("web");
  row.host_port = true;
  const auto lines = records(running({row}));
  EXPECT_THAT(lines, Contains("web.marathon.autoip" + kZone + "A 192.0.2.21"));
  EXPECT_THAT(lines, Not(Contains("web.marathon.autoip" + kZone + "A 198.51.100.5")));
  row.host_port = false;
  row.addresses.clear();
  EXPECT_THAT(records(running({row})), ElementsAre("web.marathon.agentip" + kZone + "A 192.0.2.21",
                                                   "web.marathon.autoip" + kZone + "A 192.0.2.21"));
}

TEST(Dcos, ATasksNameIsOneLabelAndItsDiscoveryNameComesFirst) {
  service::TaskRow row = task("/mygroup/My_App");
  EXPECT_EQ(zones::task_name(row), "mygroupmy-app.marathon");
  row.discovery = "myapp.mygroup";
  row.framework = "dev/kafka.Test";
  EXPECT_EQ(zones::task_name(row), "myapp-mygroup.devkafka.test");
  row.discovery = "***";
  EXPECT_EQ(zones::task_name(row), std::nullopt);
  EXPECT_THAT(records(running({row})), IsEmpty());
}

TEST(Dcos, HasTheMasters) {
  ZoneOptions options;
  options.masters.all = {address("192.0.2.1"), address("2001:db8::2")};
  options.masters.leader = address("192.0.2.1");
  EXPECT_THAT(records(running({}), options),
              ElementsAre("leader" + kZone + "A 192.0.2.1", "master" + kZone + "A 192.0.2.1",
                          "master" + kZone + "AAAA 2001:db8::2"));
}

TEST(Dcos, IsNotReadyBeforeTheSnapshotIsComplete) {
  auto incomplete = running({task("web")});
  incomplete.complete = false;
  EXPECT_FALSE(zones::dcos(incomplete, {}).ready);
}

TEST(Zk, HasFiveNamesWhateverTheNumberOfMasters) {
  ZoneOptions options;
  options.masters.all = {address("192.0.2.1"), address("192.0.2.2"), address("2001:db8::3")};
  service::Snapshot incomplete;
  const Zone zone = zones::zk(incomplete, options);
  EXPECT_TRUE(zone.ready);
  EXPECT_THAT(texts({&zone, 1}), ElementsAre("zk-1.zk. A 192.0.2.1", "zk-1.zk. AAAA 2001:db8::3",
                                             "zk-2.zk. A 192.0.2.2", "zk-2.zk. AAAA 2001:db8::3",
                                             "zk-3.zk. A 192.0.2.1", "zk-3.zk. AAAA 2001:db8::3",
                                             "zk-4.zk. A 192.0.2.2", "zk-4.zk. AAAA 2001:db8::3",
                                             "zk-5.zk. A 192.0.2.1", "zk-5.zk. AAAA 2001:db8::3"));
  const Zone empty = zones::zk(incomplete, {});
  EXPECT_THAT(texts({&empty, 1}), IsEmpty());
}

TEST(ContainerReverse, HasTheNamesOfTasksInTheSubnets) {
  ZoneOptions options;
  options.containers = {*base::Subnet::parse("198.51.100.0/25"),
                        *base::Subnet::parse("2001:db8::/32")};
  const auto heads = zones::container_reverse(running({}), options);
  ASSERT_EQ(heads.size(), 2u);
  EXPECT_EQ(heads[0].head.apex.to_text(), "100.51.198.in-addr.arpa.");
  EXPECT_EQ(heads[1].head.apex.to_text(), "8.b.d.0.1.0.0.2.ip6.arpa.");
  EXPECT_EQ(heads[0].last, address("198.51.100.127"));
  service::TaskRow row = task("web");
  row.addresses.push_back({service::AddressSource::netinfo, address("203.0.113.1")});
  row.addresses.push_back({service::AddressSource::docker, address("198.51.100.7")});
  zones::BuiltRecords built;
  zones::add_container_pointers(row, options, built);
  std::vector<std::string> lines;
  for (const Record& record : built.records)
    lines.push_back(to_text(record).name + " " + to_text(record).host);
  EXPECT_THAT(lines, ElementsAre("5.100.51.198.in-addr.arpa. "
                                 "web.marathon.containerip.dcos.thisdcos.directory.",
                                 zones::reverse_name(address("2001:db8::5")).to_text() +
                                     " web.marathon.containerip.dcos.thisdcos.directory."));
}

}  // namespace
}  // namespace viaduct::dns
