// The names of frameworks, agents, masters and the server in `mesos`, and where they come from.

#include <gmock/gmock.h>

#include "dns/zones/mesos.h"
#include "dns/zones/mesos_records.h"
#include "tests/unit/dns/task_rows.h"

namespace viaduct::dns {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

const base::Address kOne = address("192.0.2.1");
const base::Address kTwo = address("192.0.2.2");
const base::Address kThree = address("2001:db8::3");

std::vector<std::string> lines(std::vector<service::MesosRow> rows,
                               const ZoneOptions& options = master_mode()) {
  return lines_below(options.mesos_domain.to_text(), of_master({}, std::move(rows)), options);
}

TEST(MesosFrameworks, HaveTheirAddressesAndPort) {
  EXPECT_THAT(lines({framework("Marathon.User", {kOne, kThree}, 25501)}),
              UnorderedElementsAre("marathon.user.mesos. A 192.0.2.1",
                                   "marathon.user.mesos. AAAA 2001:db8::3",
                                   "_framework._tcp.marathon.user.mesos. SRV 0 1 "
                                   "marathon.user.mesos.:25501"));
  EXPECT_THAT(lines({framework("no pid", {kOne}, 0)}), ElementsAre("nopid.mesos. A 192.0.2.1"));
}

TEST(MesosFrameworks, OfWhichNothingIsLeftOrThatRunNowhereHaveNone) {
  EXPECT_THAT(lines({framework("!!!", {kOne}, 80), framework("lost", {}, 80)}), IsEmpty());
}

TEST(MesosFrameworks, ThatAreNamedLikeSomethingElseShareTheName) {
  auto snapshot =
      of_master({}, {framework("slave", {kOne}, 0), framework("leader", {kTwo}, 0),
                     framework("ns1", {kThree}, 0), agent("S0", {kTwo}), master(0, kOne, true)});
  ZoneOptions options = master_mode();
  options.servers = {kTwo};
  EXPECT_THAT(lines_below("mesos", snapshot, options),
              IsSupersetOf({"slave.mesos. A 192.0.2.1", "slave.mesos. A 192.0.2.2",
                            "leader.mesos. A 192.0.2.1", "leader.mesos. A 192.0.2.2",
                            "ns1.mesos. A 192.0.2.2", "ns1.mesos. AAAA 2001:db8::3"}));
  service::TaskRow row = task("web");
  snapshot = of_master({row}, {framework("web.marathon", {kOne}, 0)});
  EXPECT_THAT(
      lines_below("web.marathon.mesos", snapshot, options),
      UnorderedElementsAre("web.marathon.mesos. A 192.0.2.1", "web.marathon.mesos. A 198.51.100.5",
                           "web.marathon.mesos. AAAA 2001:db8::5"));
}

TEST(MesosAgents, StandTogetherAndHaveEachPortOnce) {
  EXPECT_THAT(lines({agent("S0", {kOne}), agent("S1", {kTwo}), agent("S2", {kThree}, 5052)}),
              UnorderedElementsAre("slave.mesos. A 192.0.2.1", "slave.mesos. A 192.0.2.2",
                                   "slave.mesos. AAAA 2001:db8::3",
                                   "_slave._tcp.mesos. SRV 0 1 slave.mesos.:5051",
                                   "_slave._tcp.mesos. SRV 0 1 slave.mesos.:5052"));
  EXPECT_THAT(lines({agent("S0", {})}), IsEmpty());
}

TEST(MesosMasters, HaveTheirNumbersAndTheLeadersPort) {
  EXPECT_THAT(lines({master(0, kOne, false), master(1, kTwo, true, 5150)}),
              UnorderedElementsAre("leader.mesos. A 192.0.2.2", "master.mesos. A 192.0.2.1",
                                   "master.mesos. A 192.0.2.2", "master0.mesos. A 192.0.2.1",
                                   "master1.mesos. A 192.0.2.2",
                                   "_leader._tcp.mesos. SRV 0 1 leader.mesos.:5150",
                                   "_leader._udp.mesos. SRV 0 1 leader.mesos.:5150"));
}

TEST(MesosMasters, AllStandForTheLeaderWhileNoneLeads) {
  EXPECT_THAT(lines({master(0, kOne, false), master(1, kThree, false, 0)}),
              IsSupersetOf({"leader.mesos. A 192.0.2.1", "leader.mesos. AAAA 2001:db8::3",
                            "_leader._tcp.mesos. SRV 0 1 leader.mesos.:5050"}));
}

TEST(MesosMasters, OfMesosComeBeforeTheConfiguredOnes) {
  ZoneOptions options = master_mode();
  options.masters.all = {kTwo};
  EXPECT_THAT(lines({agent("S0", {kOne})}, options), Contains("leader.mesos. A 192.0.2.2"));
  const auto told = lines({master(0, kOne, true)}, options);
  EXPECT_THAT(told, AllOf(Contains("leader.mesos. A 192.0.2.1"),
                          Not(Contains("master.mesos. A 192.0.2.2"))));
}

TEST(MesosMasters, AnUnlistedLeaderHasTheNextNumber) {
  const auto masters = zones::masters_of(Masters{{kOne}, kTwo});
  ASSERT_EQ(masters.size(), 2u);
  EXPECT_EQ(masters[1].number, 1);
  EXPECT_TRUE(masters[1].leader);
  EXPECT_FALSE(masters[0].leader);
}

TEST(MesosMasters, OfDcosAreThoseOfEitherView) {
  const std::string zone = "dcos.thisdcos.directory";
  ZoneOptions options = master_mode();
  options.masters.all = {kThree};
  service::Snapshot snapshot = running({});
  EXPECT_THAT(lines_below("leader." + zone, snapshot, options),
              ElementsAre("leader." + zone + ". AAAA 2001:db8::3"));
  snapshot.processes = processes({master(0, kOne, true), master(1, kThree, false)});
  EXPECT_THAT(lines_below(zone, snapshot, options),
              ElementsAre("leader." + zone + ". A 192.0.2.1", "master." + zone + ". A 192.0.2.1",
                          "master." + zone + ". AAAA 2001:db8::3"));
  snapshot.master = of_master({}, {master(0, kTwo, true)}).master;
  EXPECT_THAT(lines_below("leader." + zone, snapshot, options),
              ElementsAre("leader." + zone + ". A 192.0.2.2"));
}

TEST(MesosServer, HasTheAddressesThatItListensOnButLoopback) {
  ZoneOptions options;
  options.servers = {address("127.0.0.1"), kOne, kThree};
  const auto own = [&] { return lines_below("ns1.mesos", running({}), options); };
  EXPECT_THAT(own(), ElementsAre("ns1.mesos. A 192.0.2.1", "ns1.mesos. AAAA 2001:db8::3"));
  options.servers = {address("0.0.0.0")};
  options.node = {kTwo, kThree};
  EXPECT_THAT(own(), ElementsAre("ns1.mesos. A 192.0.2.2"));
  options.servers = {address("127.0.0.1")};
  EXPECT_THAT(own(), ElementsAre("ns1.mesos. A 127.0.0.1")) << "a server of one machine alone";
  EXPECT_THAT(lines_below("mesos.thisdcos.directory", running({}), options), IsEmpty());
}

TEST(MesosServer, OutsideTheZoneOrAtItsApexHasNoAddressInIt) {
  ZoneOptions options;
  options.servers = {kOne};
  for (const char* name : {"ns.example", "mesos"}) {
    options.mesos_soa.primary = Name::parse(name).value();
    EXPECT_THAT(lines_below("mesos", running({}), options), IsEmpty()) << name;
  }
  options.mesos_soa.primary = Name::parse("dns.mesos").value();
  EXPECT_THAT(lines_below("mesos", running({}), options), ElementsAre("dns.mesos. A 192.0.2.1"));
}

TEST(MesosHead, SaysWhatMesosDnsWouldOrWhatIsConfigured) {
  ZoneOptions options;
  ZoneHead head = zones::mesos(running({}), options)[0];
  EXPECT_EQ(head.soa.primary.to_text(), "ns1.mesos.");
  EXPECT_EQ(head.soa.mailbox.to_text(), "root.ns1.mesos.");
  EXPECT_EQ(head.soa.refresh_s, 60u);
  EXPECT_EQ(head.soa.retry_s, 600u);
  EXPECT_EQ(head.soa.expire_s, 86400u);
  EXPECT_EQ(head.soa.ttl_s, 5u);
  EXPECT_EQ(head.soa.serial, 42u);
  EXPECT_TRUE(head.drops_stars);
  EXPECT_EQ(zones::mesos(running({}), options)[1].soa.primary.to_text(), "ns.spartan.");
  options.mesos_domain = Name::parse("cluster.example").value();
  options.mesos_ttl_s = 60;
  EXPECT_EQ(zones::mesos(running({}), options)[0].soa.primary.to_text(), "ns1.cluster.example.")
      << "Mesos-DNS keeps ns1.mesos, which is then in no zone of it";
  options.mesos_soa = {Name::parse("a.example").value(), Name::parse("b.example").value(), 1, 2, 3};
  head = zones::mesos(running({}), options)[0];
  EXPECT_EQ(head.apex.to_text(), "cluster.example.");
  EXPECT_EQ(head.soa, (Soa{Name::parse("a.example").value(), Name::parse("b.example").value(), 42,
                           1, 2, 3, 1, 60}));
}

TEST(MesosDomain, ChangesAllNamesOfTheZoneAndNoneOfItsCopy) {
  ZoneOptions options = master_mode();
  options.mesos_domain = Name::parse("cluster.example").value();
  options.mesos_srv_weight = 7;
  options.mesos_labels = zones::LabelRule::rfc952;
  const std::string name(30, 'a');
  const auto snapshot = of_master({}, {framework("9" + name, {kOne}, 80)});
  EXPECT_THAT(
      lines_below(".", snapshot, options),
      IsSupersetOf({std::string(24, 'a') + ".cluster.example. A 192.0.2.1",
                    std::string(24, 'a') + ".mesos.thisdcos.directory. A 192.0.2.1",
                    "_framework._tcp." + std::string(24, 'a') + ".cluster.example. SRV 0 7 " +
                        std::string(24, 'a') + ".cluster.example.:80"}));
  EXPECT_THAT(lines_below("mesos", snapshot, options), IsEmpty());
}

TEST(MesosTtl, IsItsOwnIfItIsConfigured) {
  ZoneOptions options = master_mode();
  options.mesos_ttl_s = 60;
  options.masters.all = {kOne};
  const auto table = build_table(of_master({task("web")}, {agent("S0", {kOne})}), options).table;
  for (const Record& record : table->records()) {
    if (record.type == Type::ns || record.type == Type::soa) continue;
    const bool own = record.owner.is_within(Name::parse("mesos").value()) ||
                     record.owner.is_within(Name::parse("mesos.thisdcos.directory").value());
    EXPECT_EQ(record.ttl_s, own ? 60u : 5u) << to_text(record).name;
  }
}

TEST(MesosSource, OfTheMastersIsItAloneAndHoldsNothingElseUp) {
  service::Snapshot snapshot = running({task("published")});
  snapshot.processes = processes({agent("S9", {kThree})});
  const ZoneOptions options = master_mode();
  for (const ZoneHead& head : zones::mesos(snapshot, options))
    EXPECT_FALSE(head.ready) << "NXDOMAIN would be kept for what the master is about to say";
  EXPECT_THAT(lines_below("mesos", snapshot, options), IsEmpty());
  EXPECT_THAT(lines_below("dcos.thisdcos.directory", snapshot, options), Not(IsEmpty()));
  snapshot.master = of_master({task("web")}, {agent("S0", {kOne})}).master;
  snapshot.complete = false;
  for (const ZoneHead& head : zones::mesos(snapshot, options)) EXPECT_TRUE(head.ready);
  EXPECT_THAT(
      lines_below("mesos", snapshot, options),
      AllOf(IsSupersetOf({"web.marathon.mesos. A 198.51.100.5", "slave.mesos. A 192.0.2.1"}),
            Not(Contains(HasSubstr("published"))), Not(Contains(HasSubstr("2001:db8::3")))));
}

TEST(MesosSource, OfTheNodesKnowsAgentsByThemselvesAndByTheirTasks) {
  service::Snapshot snapshot = running({task("web")});
  const auto agents = [&] {
    auto found = lines_below("slave.mesos", snapshot);
    std::erase_if(found, [](const std::string& line) { return !line.starts_with("slave."); });
    return found;
  };
  snapshot.master = of_master({task("unheard")}, {agent("S0", {kTwo})}).master;
  EXPECT_THAT(agents(), ElementsAre("slave.mesos. A 192.0.2.21"));
  snapshot.processes = processes({framework("marathon", {kOne}, 8080)});
  EXPECT_THAT(agents(), ElementsAre("slave.mesos. A 192.0.2.21"));
  snapshot.processes = processes({agent("S1", {kOne})});
  EXPECT_THAT(agents(),
              UnorderedElementsAre("slave.mesos. A 192.0.2.1", "slave.mesos. A 192.0.2.21"));
  EXPECT_THAT(lines_below("mesos", snapshot), Not(Contains(HasSubstr("unheard"))));
}

TEST(MesosSource, TheHostCountsOnlyIfItHasAnAddress) {
  service::TaskRow row = task("web");
  row.agent.clear();
  using S = zones::IpSource;
  EXPECT_EQ(zones::mesos_addresses(row, std::vector<S>{S::host, S::netinfo}).size(), 2u);
}

}  // namespace
}  // namespace viaduct::dns
