#include "tools/viaductctl/doctor.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace viaduct::ctl {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

base::Address address(std::string_view text) { return *base::Address::parse(text); }

auto is(Level level, const std::string& check, const std::string& what) {
  return AllOf(Field(&Finding::level, level), Field(&Finding::check, check),
               Field(&Finding::what, HasSubstr(what)));
}

/// A node on which everything is as it should be.
Facts healthy() {
  Facts facts;
  facts.socket = "/run/viaduct/api.sock";
  facts.status = json::parse(R"({
    "version": "0.1.0", "node": "node1", "uptime_ms": 5000, "revision": 7, "complete": true,
    "dataplane": {"enabled": true, "state": "active", "applied_revision": 7, "pending": 0, "last_error": "", "problems": []},
    "dns": {"enabled": true, "listening": ["198.51.100.1:53"]},
    "sources": [{"name": "mesos-agent", "complete": true, "age_ms": 120, "rows": 2, "rejected": 0, "last_error": ""}],
    "capabilities": [{"name": "tcx", "available": true, "detail": ""}]})");
  facts.vips =
      json::parse(
          R"([{"vip": "web.marathon.l4lb.thisdcos.directory:80", "backend": [{"weight": 1}]}])")
          .as_array();
  facts.bpffs = "/sys/fs/bpf/viaduct";
  facts.bpffs_mounted = true;
  facts.maps = {{"services", 2, 100}, {"backends", 2, 100}, {"slots", 2, 100}, {"flows", 2, 100}};
  facts.cgroup = "/sys/fs/cgroup";
  facts.sock_pins = {{"connect4", ""}, {"connect6", ""}};
  facts.link = "viaduct0";
  facts.container_links = {"veth*"};
  facts.links = {{"lo", "", true, {}, 0},
                 {"viaduct0", "dummy", true, {"egress"}, 0},
                 {"veth1", "veth", true, {"ingress", "egress"}, 0}};
  facts.vip_addresses = {address("11.0.0.1")};
  facts.routes = {address("11.0.0.1")};
  facts.ip_forward = 1;
  facts.ip6_forward = 1;
  facts.rp_filter_all = 2;
  facts.dns = {{*base::Endpoint::parse("198.51.100.1:53"), ""}};
  facts.resolvers = {"198.51.100.1"};
  return facts;
}

json::object& part(Facts& facts, std::string_view name) {
  return facts.status->at(name).as_object();
}

TEST(Doctor, FindsNothingOnAHealthyNode) {
  const auto findings = judge(healthy());
  EXPECT_THAT(findings, Each(Field(&Finding::level, Level::ok)));
  EXPECT_THAT(findings, Each(Field(&Finding::fix, "")));
  EXPECT_GE(findings.size(), 12u);
}

TEST(Doctor, EveryFindingThatIsNotFineSaysHowToFixIt) {
  Facts facts = healthy();
  facts.status.reset();
  facts.daemon_error = "No such file or directory";
  facts.cgroup.reset();
  facts.links.clear();
  facts.ip_forward = 0;
  facts.bridge_nf = 1;
  for (const Finding& finding : judge(facts))
    EXPECT_EQ(finding.fix.empty(), finding.level == Level::ok) << finding.what;
}

TEST(Doctor, AnUnreachableDaemonIsAFaultWithTheReason) {
  Facts facts = healthy();
  facts.status.reset();
  facts.daemon_error = "Connection refused";
  EXPECT_THAT(judge_daemon(facts),
              ElementsAre(is(Level::fault, "daemon", "/run/viaduct/api.sock: Connection refused")));
  facts.daemon_refused_permission = true;
  EXPECT_THAT(judge_daemon(facts)[0].fix, HasSubstr("group viaduct"));
}

TEST(Doctor, SourcesThatFailOrRejectAreNamed) {
  Facts facts = healthy();
  json::object& source = facts.status->at("sources").at(0).as_object();
  source["rejected"] = 3;
  EXPECT_THAT(judge_daemon(facts),
              Contains(is(Level::warn, "source mesos-agent", "3 entries cannot be used")));
  source["last_error"] = "connection refused";
  EXPECT_THAT(judge_daemon(facts), Contains(is(Level::fault, "source mesos-agent",
                                               "connection refused; its rows of 120 ms ago stay")));
  source["complete"] = false;
  EXPECT_THAT(judge_daemon(facts),
              Contains(is(Level::fault, "source mesos-agent", "never read since the start")));
  facts.status->at("sources").as_array().clear();
  EXPECT_THAT(judge_daemon(facts), Contains(is(Level::warn, "sources", "none")));
}

TEST(Doctor, VipsThatRefuseConnectionsAreNamed) {
  Facts facts = healthy();
  facts.vips->at(0).at("backend").at(0).as_object()["weight"] = 0;
  EXPECT_THAT(judge_daemon(facts), Contains(is(Level::warn, "services", "1 refuse connections")));
}

TEST(Doctor, ADataPlaneThatIsBehindFailsOrIsOffIsReported) {
  Facts facts = healthy();
  part(facts, "dataplane")["applied_revision"] = 6;
  EXPECT_THAT(judge_daemon(facts), Contains(is(Level::warn, "data plane", "revision 6 of 7")));
  part(facts, "dataplane")["pending"] = 4;
  EXPECT_THAT(judge_daemon(facts), Contains(is(Level::warn, "data plane", "4 operations pending")));
  part(facts, "dataplane")["last_error"] = "no memory";
  EXPECT_THAT(judge_daemon(facts), Contains(is(Level::fault, "data plane", "no memory")));
  part(facts, "dataplane")["enabled"] = false;
  EXPECT_THAT(judge_daemon(facts), Contains(is(Level::warn, "data plane", "off")));
  EXPECT_THAT(judge_kernel(facts), ElementsAre());
  EXPECT_THAT(judge_network(facts), ElementsAre());
}

TEST(Doctor, AMissingKernelFeatureTellsWhatIsUsedInstead) {
  Facts facts = healthy();
  facts.status->at("capabilities") =
      json::parse(R"([{"name": "tcx", "available": false, "detail": "clsact is used"}])");
  EXPECT_THAT(judge_daemon(facts), Contains(is(Level::warn, "feature tcx", "clsact is used")));
}

TEST(Doctor, WithoutABpfFileSystemTheMapsAreNotAskedFor) {
  Facts facts = healthy();
  facts.bpffs_mounted = false;
  facts.maps_error = "no such file";
  EXPECT_THAT(judge_kernel(facts),
              ElementsAre(is(Level::fault, "bpffs", "not in a BPF file system")));
  facts.bpffs_mounted = true;
  EXPECT_THAT(judge_kernel(facts), ElementsAre(is(Level::fault, "maps", "no such file")));
}

TEST(Doctor, AFillingMapWarnsAndAFullOneIsAFaultExceptForFlows) {
  Facts facts = healthy();
  facts.maps = {{"services", 80, 100},
                {"slots", 95, 100},
                {"flows", 100, 100},
                {"backends", 79, 100},
                {"new_flows", 95, 100}};
  const auto findings = judge_kernel(facts);
  EXPECT_THAT(findings, Contains(is(Level::warn, "map services", "80 of 100")));
  EXPECT_THAT(findings, Contains(is(Level::fault, "map slots", "95 of 100")));
  EXPECT_THAT(findings, Contains(is(Level::warn, "map flows", "longest idle")));
  EXPECT_THAT(findings, Contains(is(Level::warn, "map new_flows", "flood")));
  EXPECT_THAT(findings, Contains(Field(&Finding::fix, HasSubstr("dataplane.max_new_flows"))));
  EXPECT_THAT(findings, Contains(is(Level::ok, "map backends", "79 of 100")));
  EXPECT_THAT(findings, Contains(Field(&Finding::fix, HasSubstr("dataplane.max_slot_lines"))));
}

TEST(Doctor, SocketProgramsMustAllBeAttachedToTheCgroup) {
  Facts facts = healthy();
  facts.sock_pins["connect6"] = "no link";
  EXPECT_THAT(judge_kernel(facts),
              Contains(is(Level::fault, "socket programs", "connect6 (no link)")));
  facts.cgroup.reset();
  EXPECT_THAT(judge_kernel(facts), Contains(is(Level::fault, "socket programs", "no cgroup v2")));
}

TEST(Doctor, SocketProgramsThatAreLeftOutOnPurposeAreNoFault) {
  Facts facts = healthy();
  facts.sock_pins["connect4"] = "no link";
  facts.status->at("capabilities") = json::parse(
      R"([{"name": "socket hooks", "available": false, "detail": "dataplane.sockets is off"}])");
  EXPECT_THAT(judge_kernel(facts),
              Contains(is(Level::warn, "socket programs", "dataplane.sockets is off")));
}

TEST(Doctor, TheDeviceMustBeThereUpAndProgrammed) {
  Facts facts = healthy();
  facts.links[1].programs.clear();
  EXPECT_THAT(judge_network(facts),
              Contains(is(Level::fault, "device viaduct0", "no packet program")));
  facts.links[1].up = false;
  EXPECT_THAT(judge_network(facts), Contains(is(Level::fault, "device viaduct0", "down")));
  facts.links.erase(facts.links.begin() + 1);
  EXPECT_THAT(judge_network(facts), Contains(is(Level::fault, "device viaduct0", "missing")));
}

TEST(Doctor, RoutesMatchTheServices) {
  Facts facts = healthy();
  facts.vip_addresses.insert(address("2001:db8::5"));
  EXPECT_THAT(judge_network(facts),
              Contains(is(Level::fault, "VIP routes", "missing for 2001:db8::5")));
  facts.vip_addresses.clear();
  EXPECT_THAT(judge_network(facts),
              Contains(is(Level::warn, "VIP routes", "left over from former VIPs: 11.0.0.1")));
}

TEST(Doctor, ContainerLinksNeedProgramsInBothDirections) {
  Facts facts = healthy();
  facts.links[2].programs.erase("ingress");
  EXPECT_THAT(judge_network(facts), Contains(is(Level::fault, "container links", "veth1")));
}

TEST(Doctor, StrictReversePathFiltersAreFoundWhereTheLargerValueSaysSo) {
  Facts facts = healthy();
  facts.links[1].rp_filter = 1;
  facts.links[2].rp_filter = 1;
  EXPECT_THAT(judge_network(facts), Not(Contains(Field(&Finding::check, "rp_filter"))))
      << "all = 2 makes them loose";
  facts.rp_filter_all = 0;
  EXPECT_THAT(judge_network(facts), Contains(is(Level::fault, "rp_filter", "strict on viaduct0")));
  EXPECT_THAT(judge_network(facts), Contains(is(Level::warn, "rp_filter", "strict on veth1")));
  facts.links[1].rp_filter = 0;
  facts.links[2].rp_filter = 0;
  facts.rp_filter_all = 1;
  EXPECT_THAT(judge_network(facts), Contains(is(Level::fault, "rp_filter", "strict on viaduct0")));
}

TEST(Doctor, AContainerLinkThatTakesMoreThanTheUplinkIsNamed) {
  Facts facts = healthy();
  facts.links.push_back({"eth0", "", true, {"ingress"}, 0, 1500});
  facts.links[2].mtu = 1500;
  EXPECT_THAT(judge_links(facts), ElementsAre(is(Level::ok, "MTU", "eth0 takes 1500 bytes")));
  facts.links[2].mtu = 9000;
  EXPECT_THAT(
      judge_links(facts),
      ElementsAre(is(Level::warn, "MTU", "eth0 takes 1500 bytes, but larger are veth1 9000")));
  facts.links.push_back({"eth1", "", true, {"ingress"}, 0, 1400});
  EXPECT_THAT(judge_links(facts), ElementsAre(is(Level::warn, "MTU", "eth1 takes 1400 bytes")));
  facts.links.resize(3);
  EXPECT_THAT(judge_links(facts), ElementsAre(is(Level::ok, "MTU", "no uplink")));
}

/// A node that reaches backends on other machines by tunnels from eth0.
Facts with_tunnels(std::string_view node) {
  Facts facts = healthy();
  facts.links.push_back({.name = "eth0",
                         .up = true,
                         .programs = {"ingress", "egress"},
                         .mtu = 1500,
                         .tunnel_program = "native"});
  facts.links[2].mtu = 1500;
  facts.nodes = {address(node)};
  return facts;
}

TEST(Doctor, ATunnelTakesItsHeaderOffTheUplinksSize) {
  Facts facts = with_tunnels("198.51.100.2");
  EXPECT_THAT(judge_links(facts), Contains(is(Level::ok, "tunnel MTU", "1480 bytes fit")));
  facts.nodes.insert(address("2001:db8::2"));
  EXPECT_THAT(judge_links(facts), Contains(is(Level::ok, "tunnel MTU", "1460 bytes fit")));
  facts.links[2].mtu = 1460;
  EXPECT_THAT(judge_links(facts), Contains(is(Level::ok, "tunnel MTU", "1460 bytes fit")));
  facts.links[2].mtu = 1400;
  EXPECT_THAT(judge_links(facts),
              Contains(is(Level::warn, "tunnel MTU", "containers take less: veth1 1400")));
  facts.links.push_back({.name = "eth1", .up = true, .programs = {"ingress"}, .mtu = 9000});
  EXPECT_THAT(judge_links(facts),
              Contains(is(Level::warn, "tunnel MTU", "but more comes in by eth1 9000")));
  facts.nodes.clear();
  EXPECT_THAT(judge_links(facts), Not(Contains(Field(&Finding::check, "tunnel MTU"))));
}

TEST(Doctor, ATunnelThatCannotCarryIpv6IsAFault) {
  Facts facts = with_tunnels("2001:db8::2");
  facts.links[3].mtu = 1300;
  EXPECT_THAT(judge_links(facts), Contains(Field(&Finding::level, Level::warn)))
      << "the container's link takes more";
  EXPECT_THAT(judge_links(facts), Not(Contains(is(Level::fault, "tunnel MTU", ""))));
  facts.vip_addresses.insert(address("2001:db8:1::1"));
  EXPECT_THAT(judge_links(facts), Contains(is(Level::fault, "tunnel MTU", "1260 bytes fit")));
  EXPECT_THAT(judge_links(facts), Contains(Field(&Finding::fix, HasSubstr("eth0 mtu 1340"))));
}

TEST(Doctor, OtherMachinesNeedAnUplinkWithXdpAndARoute) {
  Facts facts = with_tunnels("198.51.100.2");
  facts.lost_nodes = facts.nodes;
  EXPECT_THAT(judge_links(facts),
              Contains(is(Level::fault, "tunnel routes", "no route to 198.51.100.2")));
  facts.links[3].tunnel_program.clear();
  EXPECT_THAT(judge_links(facts), Contains(is(Level::warn, "tunnels", "of 1 other machine")));
}

TEST(Doctor, GenericXdpBehindMergedPacketsIsNamed) {
  Facts facts = with_tunnels("198.51.100.2");
  facts.links[3].gro = true;
  EXPECT_THAT(judge_links(facts), Each(Field(&Finding::level, Level::ok)))
      << "native XDP comes before GRO";
  facts.links[3].tunnel_program = "generic";
  EXPECT_THAT(judge_links(facts), Contains(is(Level::warn, "generic XDP", "runs on eth0")));
  facts.links[3].gro = false;
  EXPECT_THAT(judge_links(facts), Each(Field(&Finding::level, Level::ok)));
  facts.links[3].lro = true;
  EXPECT_THAT(judge_links(facts), Contains(is(Level::warn, "generic XDP", "runs on eth0")));
}

TEST(Doctor, StrictReversePathFiltersHurtWhereThereAreTwoUplinks) {
  Facts facts = with_tunnels("198.51.100.2");
  facts.rp_filter_all = 0;
  facts.links[3].rp_filter = 1;
  EXPECT_THAT(judge_network(facts), Not(Contains(Field(&Finding::check, "rp_filter"))));
  facts.links.push_back({.name = "eth1", .up = true, .programs = {"ingress"}, .mtu = 1500});
  EXPECT_THAT(judge_network(facts), Contains(is(Level::warn, "rp_filter", "strict on eth0")));
}

TEST(Doctor, NodesThatDoNotFitHaveNoKeyToRaise) {
  Facts facts = healthy();
  facts.maps = {{"nodes", 4000, 4095}};
  const auto findings = judge_kernel(facts);
  EXPECT_THAT(findings, Contains(is(Level::fault, "map nodes", "4000 of 4095")));
  EXPECT_THAT(findings, Not(Contains(Field(&Finding::fix, HasSubstr("max_nodes")))));
}

TEST(Doctor, NativeXdpOnAContainerLinkIsNamed) {
  Facts facts = healthy();
  facts.links.push_back({"eth0", "", true, {"ingress"}, 0, 1500, true});
  EXPECT_THAT(judge_links(facts), Each(Field(&Finding::level, Level::ok))) << "that is a NIC";
  facts.links[2].native_xdp = true;
  EXPECT_THAT(judge_links(facts),
              Contains(is(Level::warn, "checksum offload", "native XDP on veth1")));
}

TEST(Doctor, ForwardingAndBridgeSettingsAreJudged) {
  Facts facts = healthy();
  facts.ip_forward = 0;
  facts.bridge_nf = 1;
  EXPECT_THAT(judge_network(facts), Contains(is(Level::fault, "ip_forward", "off")));
  EXPECT_THAT(judge_network(facts), Contains(is(Level::warn, "bridge-nf", "iptables")));
  facts.links.pop_back();
  EXPECT_THAT(judge_network(facts), Contains(is(Level::warn, "ip_forward", "off")))
      << "no container needs it";
  facts.ip6_forward = 0;
  EXPECT_THAT(judge_network(facts), Not(Contains(Field(&Finding::check, "ip6_forward"))));
  facts.vip_addresses.insert(address("2001:db8::5"));
  EXPECT_THAT(judge_network(facts), Contains(is(Level::warn, "ip6_forward", "off")));
}

TEST(Doctor, DnsMustAnswerAndBeUsed) {
  Facts facts = healthy();
  facts.dns[0].error = "does not answer within a second";
  EXPECT_THAT(judge_dns(facts),
              Contains(is(Level::fault, "DNS 198.51.100.1:53", "does not answer")));
  facts.resolvers = {"192.0.2.53"};
  EXPECT_THAT(judge_dns(facts), Contains(is(Level::warn, "resolv.conf", "none of these")));
  facts.dns.clear();
  EXPECT_THAT(judge_dns(facts), ElementsAre(is(Level::fault, "DNS", "listens nowhere")));
  part(facts, "dns")["enabled"] = false;
  EXPECT_THAT(judge_dns(facts), ElementsAre(is(Level::warn, "DNS", "off")));
}

TEST(Doctor, ReadsAsALineAFindingWithTheFixBelow) {
  const std::vector<Finding> findings = {
      {Level::ok, "daemon", "viaductd 0.1.0 on node1", ""},
      {Level::warn, "bridge-nf", "iptables sees packets", "sysctl -w x=0"},
      {Level::fault, "maps", "missing", "start viaductd"}};
  EXPECT_EQ(findings_text(findings),
            "ok     daemon     viaductd 0.1.0 on node1\n"
            "warn   bridge-nf  iptables sees packets\n"
            "                  fix: sysctl -w x=0\n"
            "fault  maps       missing\n"
            "                  fix: start viaductd\n"
            "1 fault, 1 warning, 1 ok\n");
  EXPECT_EQ(
      json::value(findings_json(findings)).at(1),
      json::parse(
          R"({"level": "warn", "check": "bridge-nf", "what": "iptables sees packets", "fix": "sysctl -w x=0"})"));
}

TEST(Doctor, PatternsAreNamesOrBeginnings) {
  EXPECT_TRUE(matches_pattern("veth12", "veth*"));
  EXPECT_TRUE(matches_pattern("eth0", "eth0"));
  EXPECT_FALSE(matches_pattern("eth01", "eth0"));
  EXPECT_FALSE(matches_pattern("br0", "veth*"));
}

}  // namespace
}  // namespace viaduct::ctl
