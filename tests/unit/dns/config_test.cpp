#include "dns/config.h"

#include <gtest/gtest.h>

#include "config/parse.h"

namespace viaduct::dns {
namespace {

config::Schema schema() {
  config::Schema made;
  made.add(keys());
  return made;
}

TEST(DnsConfig, HasTheAddressesOfSpartanByDefault) {
  const Config config = from(config::Values(schema()));
  std::vector<std::string> listen;
  for (const base::Address& address : config.listen) listen.push_back(address.to_string());
  EXPECT_EQ(listen, (std::vector<std::string>{"198.51.100.1", "198.51.100.2", "198.51.100.3",
                                              "fd01:d::c633:6401"}));
  EXPECT_EQ(config.port, 53);
  EXPECT_EQ(config.workers, 1u);
  EXPECT_EQ(config.zones.ttl_s, 5u);
  EXPECT_EQ(config.zones.negative_ttl_s, 1u);
  EXPECT_TRUE(config.enabled);
  EXPECT_TRUE(config.kernel);
  EXPECT_TRUE(config.kernel_skip.empty());
}

TEST(DnsConfig, TakesEveryKeyFromTheValues) {
  config::Values values(schema());
  values.set("dns.enabled", false);
  values.set("dns.listen", std::vector<std::string>{"192.0.2.1"});
  values.set("dns.port", std::int64_t{5353});
  values.set("dns.workers", std::int64_t{3});
  values.set("dns.ttl_s", std::int64_t{7});
  values.set("dns.negative_ttl_s", std::int64_t{2});
  values.set("dns.kernel", false);
  values.set("dns.kernel_skip", std::vector<std::string>{"192.0.2.0/24", "2001:db8::1"});
  const Config config = from(values);
  EXPECT_FALSE(config.kernel);
  EXPECT_EQ(config.kernel_skip, (std::vector<base::Subnet>{*base::Subnet::parse("192.0.2.0/24"),
                                                           *base::Subnet::parse("2001:db8::1")}));
  EXPECT_FALSE(config.enabled);
  EXPECT_EQ(config.listen, std::vector<base::Address>{*base::Address::parse("192.0.2.1")});
  EXPECT_EQ(config.port, 5353);
  EXPECT_EQ(config.workers, 3u);
  EXPECT_EQ(config.zones.ttl_s, 7u);
  EXPECT_EQ(config.zones.negative_ttl_s, 2u);
}

TEST(DnsConfig, TakesWhatNamesOfTasksNeed) {
  config::Values values(schema());
  EXPECT_EQ(from(values).zones.mesos, MesosMode::local);
  values.set("dns.masters", std::vector<std::string>{"192.0.2.1", "2001:db8::1"});
  values.set("dns.mesos", std::string("off"));
  values.set("dns.mesos_ip_sources", std::vector<std::string>{"host", "docker"});
  values.set("dns.container_subnets", std::vector<std::string>{"9.0.0.0/8"});
  values.set("dns.cnames", std::vector<std::string>{"a.b.thisdcos.directory=www.example"});
  const Config config = from(values);
  EXPECT_EQ(config.zones.masters.all.size(), 2u);
  EXPECT_EQ(config.zones.masters.leader, std::nullopt);
  EXPECT_EQ(config.zones.mesos, MesosMode::off);
  EXPECT_EQ(config.zones.ip_sources,
            (std::vector<zones::IpSource>{zones::IpSource::host, zones::IpSource::docker}));
  EXPECT_EQ(config.zones.containers.at(0).to_string(), "9.0.0.0/8");
  EXPECT_EQ(config.zones.cnames.at(0).target.to_text(), "www.example.");
}

TEST(DnsConfig, AsksTheMastersForNamesInMesosIfToldSo) {
  config::Values values(schema());
  values.set("dns.masters", std::vector<std::string>{"192.0.2.1", "2001:db8::1"});
  values.set("dns.mesos", std::string("forward"));
  const Config config = from(values);
  EXPECT_EQ(config.zones.mesos, MesosMode::off);
  ASSERT_EQ(config.forward.zones.size(), 1u);
  EXPECT_EQ(config.forward.zones[0].apex.to_text(), "mesos.");
  EXPECT_EQ(config.forward.zones[0].upstreams.at(0).to_string(), "192.0.2.1:61053");
  EXPECT_EQ(config.forward.zones[0].upstreams.at(1).to_string(), "[2001:db8::1]:61053");
}

/// What is wrong with a list of strings, by its key's own check or by a rule.
std::string mistake(const std::string& key, std::vector<std::string> list) {
  const config::Schema all = schema();
  for (const std::string& text : list)
    if (const auto wrong = all.find(key)->check(text)) return *wrong;
  config::Values values(all);
  values.set(key, std::move(list));
  for (const config::Rule& rule : rules())
    if (const auto wrong = rule.check(values)) return rule.key + " " + *wrong;
  return "";
}

TEST(DnsConfig, SaysWhatIsWrongWithNamesOfTasks) {
  EXPECT_EQ(mistake("dns.masters", {"master"}), "is not an IPv4 or IPv6 address");
  EXPECT_EQ(mistake("dns.mesos_ip_sources", {"rkt"}), "is none of host, docker, mesos, netinfo");
  EXPECT_EQ(mistake("dns.mesos_ip_sources", {}), "dns.mesos_ip_sources is empty");
  EXPECT_EQ(mistake("dns.mesos_ip_sources", {"host", "host"}),
            "dns.mesos_ip_sources names a source twice");
  EXPECT_EQ(mistake("dns.container_subnets", {"9.0.0.1/8"}),
            "is not a subnet such as 192.0.2.0/24");
  EXPECT_EQ(mistake("dns.container_subnets", {"8.0.0.0/7"}), "has a prefix shorter than 8 bits");
  EXPECT_EQ(mistake("dns.cnames", {"a.dcos.thisdcos.directory=x.example"}),
            "names something in dcos.thisdcos.directory, which is served anyway");
  EXPECT_EQ(mistake("dns.cnames", {"a.b.thisdcos.directory=x", "A.b.thisdcos.directory=y"}),
            "dns.cnames has A.b.thisdcos.directory. twice");
  std::vector<std::string> many;
  for (int i = 0; i < 13; i++) many.push_back("a.z" + std::to_string(i) + ".thisdcos.directory=x");
  EXPECT_EQ(mistake("dns.cnames", many), "dns.cnames has names in more than 12 zones");
  many.pop_back();
  EXPECT_EQ(mistake("dns.cnames", many), "");
  EXPECT_EQ(mistake("dns.masters", std::vector<std::string>(33, "192.0.2.1")),
            "dns.masters has more than 32 elements");
}

TEST(DnsConfig, ForwardsNothingByDefaultAndTakesUpstreamsAndZones) {
  config::Values values(schema());
  EXPECT_FALSE(from(values).forward.enabled());
  values.set("dns.upstreams", std::vector<std::string>{"192.0.2.1", "[2001:db8::1]:5353"});
  values.set("dns.forward_zones", std::vector<std::string>{"corp.example=192.0.2.2,192.0.2.3"});
  values.set("dns.forward_dispatch", std::string("hedged"));
  values.set("dns.cache_mib", std::int64_t{1});
  const Config config = from(values);
  EXPECT_TRUE(config.forward.enabled());
  EXPECT_EQ(config.forward.upstreams.at(0).to_string(), "192.0.2.1:53");
  EXPECT_EQ(config.forward.upstreams.at(1).to_string(), "[2001:db8::1]:5353");
  EXPECT_EQ(config.forward.zones.at(0).upstreams.size(), 2u);
  EXPECT_EQ(config.forward.dispatch, forward::Dispatch::hedged);
  EXPECT_EQ(config.forward.cache_octets, 1u << 20);
}

std::string mistakes(const std::string& text) {
  config::Schema with_rules = schema();
  with_rules.rules = rules();
  const auto parsed = config::parse(text, "f", with_rules);
  return parsed ? "" : parsed.error().to_string();
}

TEST(DnsConfig, RefusesAnUpstreamThatIsThisServerAndNamesTheKey) {
  EXPECT_EQ(mistakes("[dns]\nupstreams = [\"192.0.2.1\"]"), "");
  EXPECT_EQ(mistakes("[dns]\nupstreams = [\"192.0.2.1\", \"198.51.100.2\"]"),
            "f:2: dns.upstreams names 198.51.100.2:53, which is this server itself (dns.listen)\n");
  EXPECT_EQ(mistakes("[dns]\nupstreams = [\"198.51.100.2:5300\"]"), "");
  EXPECT_NE(mistakes("[dns]\nport = 5300\nupstreams = [\"198.51.100.2:5300\"]"), "");
  EXPECT_NE(mistakes("[dns]\nlisten = [\"0.0.0.0\"]\nupstreams = [\"127.0.0.1\"]"), "");
  EXPECT_NE(mistakes("[dns]\nforward_zones = [\"a.example=198.51.100.1\"]"), "");
  EXPECT_EQ(mistakes("[dns]\nmesos = \"forward\""),
            "f:2: dns.mesos is \"forward\", which needs dns.masters\n");
}

TEST(DnsConfig, RefusesZonesThatCannotBeReadOrOccurTwice) {
  EXPECT_NE(mistakes("[dns]\nupstreams = [\"dns.example\"]"), "");
  EXPECT_NE(mistakes("[dns]\nforward_zones = [\"a.example\"]"), "");
  EXPECT_EQ(mistakes("[dns]\nforward_zones = [\"a.example=192.0.2.1\", \"b.example=192.0.2.1\"]"),
            "");
  EXPECT_NE(mistakes("[dns]\nforward_zones = [\"a.example=192.0.2.1\", \"A.example=192.0.2.2\"]"),
            "");
}

}  // namespace
}  // namespace viaduct::dns
