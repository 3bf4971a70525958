#include "dns/mesos_config.h"

#include <gtest/gtest.h>

#include "config/parse.h"
#include "dns/config.h"

namespace viaduct::dns {
namespace {

config::Schema schema() {
  config::Schema made;
  made.add(keys());
  made.rules = rules();
  return made;
}

std::string mistakes(const std::string& text) {
  const auto parsed = config::parse("[dns]\n" + text, "f", schema());
  return parsed ? "" : parsed.error().to_string();
}

TEST(MesosConfig, ByDefaultIsWhatItWas) {
  const ZoneOptions zones = from(config::Values(schema())).zones;
  EXPECT_EQ(zones.mesos, MesosMode::local);
  EXPECT_EQ(zones.mesos_domain.to_text(), "mesos.");
  EXPECT_EQ(zones.mesos_ttl_s, std::nullopt) << "that of all zones";
  EXPECT_EQ(zones.mesos_labels, zones::LabelRule::rfc1123);
  EXPECT_EQ(zones.mesos_srv_weight, 1);
  EXPECT_EQ(zones.mesos_soa.primary, std::nullopt);
  EXPECT_EQ(zones.mesos_soa.mailbox, std::nullopt);
  EXPECT_TRUE(zones.mesos_recursion);
}

TEST(MesosConfig, TakesEveryKeyFromTheValues) {
  config::Values values(schema());
  values.set("dns.mesos", std::string("master"));
  values.set("dns.mesos_domain", std::string("Cluster.Example"));
  values.set("dns.mesos_ttl_s", std::int64_t{0});
  values.set("dns.mesos_label_rule", std::string("rfc952"));
  values.set("dns.mesos_srv_weight", std::int64_t{65535});
  values.set("dns.mesos_soa_mname", std::string("ns.example."));
  values.set("dns.mesos_soa_rname", std::string("root@ns.example"));
  values.set("dns.mesos_soa_refresh_s", std::int64_t{1});
  values.set("dns.mesos_soa_retry_s", std::int64_t{2});
  values.set("dns.mesos_soa_expire_s", std::int64_t{3});
  values.set("dns.mesos_recursion", false);
  const ZoneOptions zones = from(values).zones;
  EXPECT_EQ(zones.mesos, MesosMode::master);
  EXPECT_EQ(zones.mesos_domain.to_text(), "cluster.example.");
  EXPECT_EQ(zones.mesos_ttl_s, 0u);
  EXPECT_EQ(zones.mesos_labels, zones::LabelRule::rfc952);
  EXPECT_EQ(zones.mesos_srv_weight, 65535);
  EXPECT_EQ(zones.mesos_soa.primary.value().to_text(), "ns.example.");
  EXPECT_EQ(zones.mesos_soa.mailbox.value().to_text(), "root.ns.example.");
  EXPECT_EQ(zones.mesos_soa.refresh_s, 1u);
  EXPECT_EQ(zones.mesos_soa.retry_s, 2u);
  EXPECT_EQ(zones.mesos_soa.expire_s, 3u);
  EXPECT_FALSE(zones.mesos_recursion);
}

TEST(MesosConfig, IsForwardedUnderTheDomainsName) {
  config::Values values(schema());
  values.set("dns.mesos", std::string("forward"));
  values.set("dns.mesos_domain", std::string("cluster.example"));
  values.set("dns.masters", std::vector<std::string>{"192.0.2.1"});
  EXPECT_EQ(from(values).forward.zones.at(0).apex.to_text(), "cluster.example.");
}

TEST(MesosConfig, SaysWhatIsWrong) {
  EXPECT_EQ(mistakes("mesos = \"master\"\nmesos_domain = \"a-1.example\""), "");
  for (const char* domain : {"", ".", "a..b", "under_score", "sp ace"})
    EXPECT_NE(mistakes("mesos_domain = \"" + std::string(domain) + "\"")
                  .find("is not a domain of letters, digits and dashes, such as mesos"),
              std::string::npos)
        << domain;
  for (const char* domain : {"zk", "a.spartan", "directory", "dcos.thisdcos.directory"})
    EXPECT_NE(mistakes("mesos_domain = \"" + std::string(domain) + "\"").find("overlaps"),
              std::string::npos)
        << domain;
  const std::string label(50, 'a');
  EXPECT_NE(mistakes("mesos_domain = \"" + label + "." + label + "\"").find("longer than 80"),
            std::string::npos);
  EXPECT_NE(mistakes("mesos_soa_mname = \"a..b\"").find("is not a domain name"), std::string::npos);
  EXPECT_NE(mistakes("mesos_soa_rname = \"" + label + "." + label + "\"").find("longer than 98"),
            std::string::npos);
  EXPECT_NE(mistakes("mesos_ttl_s = -2"), "");
  EXPECT_NE(mistakes("mesos_srv_weight = 65536"), "");
  EXPECT_NE(mistakes("mesos_label_rule = \"rfc1035\""), "");
  EXPECT_NE(mistakes("mesos = \"masters\""), "");
}

}  // namespace
}  // namespace viaduct::dns
