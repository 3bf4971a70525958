#include "tools/viaductctl/import_mesos_dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::ctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(ImportMesosDns, DefaultsOfTheirsAreWrittenOut) {
  const auto out = import_mesos_dns(R"({"masters": ["192.0.2.1:5050"]})");
  EXPECT_THAT(out.mistakes, IsEmpty());
  EXPECT_EQ(out.toml, R"(# From a configuration of Mesos-DNS, by viaductctl import mesos-dns.

[mesos]
masters = ["192.0.2.1:5050"]
refresh_ms = 60000
master_timeout_ms = 300000
tls = false

[dns]
mesos = "master"
mesos_domain = "mesos"
mesos_ttl_s = 60
mesos_srv_weight = 1
mesos_label_rule = "rfc1123"
mesos_ip_sources = ["netinfo", "mesos", "host"]
mesos_recursion = true
mesos_enumeration = true
mesos_soa_mname = "ns1.mesos"
mesos_soa_rname = "root.ns1.mesos"
mesos_soa_refresh_s = 60
mesos_soa_retry_s = 600
mesos_soa_expire_s = 86400
listen = ["0.0.0.0"]
port = 53
http_listen = "0.0.0.0:8123"
upstreams = ["8.8.8.8"]
)");
}

TEST(ImportMesosDns, AllThatOursHaveTooIsTakenOver) {
  const auto out = import_mesos_dns(R"({
    "ZK": "zk://192.0.2.9:2181,192.0.2.10:2181/mesos", "Masters": ["192.0.2.1:5050", "[2001:db8::1]:5050"],
    "refreshseconds": 5, "stateTimeoutSeconds": 20, "zkDetectionTimeout": 30,
    "domain": "Cluster.Example", "ttl": 10, "srvRecordDefaultWeight": 7, "enforceRFC952": true,
    "IPSources": ["host", "docker"], "recurseon": false, "enumerationOn": false,
    "SOAMname": "ns.example", "SOARname": "root@ns.example", "SOARefresh": 1, "SOARetry": 2, "SOAExpire": 3,
    "SOAMinttl": 4, "listener": "192.0.2.53", "port": 5353, "httplistener": "2001:db8::53", "httpport": 8080,
    "resolvers": ["192.0.2.54", "[2001:db8::54]:5300"],
    "zoneResolvers": {"Corp.Example": ["192.0.2.55:53", "192.0.2.56"]}, "timeout": 5,
    "mesosHTTPSOn": true, "caCertFile": "/etc/ca.pem", "certFile": "/etc/c.pem", "keyFile": "/etc/k.pem",
    "mesosAuthentication": "basic", "mesosCredentials": {"principal": "dns", "secret": "hidden"},
    "setTruncateBit": false, "ns": "old"})");
  EXPECT_THAT(out.mistakes, IsEmpty());
  EXPECT_EQ(out.toml, R"(# From a configuration of Mesos-DNS, by viaductctl import mesos-dns.

[mesos]
masters = ["192.0.2.1:5050", "[2001:db8::1]:5050"]
zk = "zk://192.0.2.9:2181,192.0.2.10:2181/mesos"
refresh_ms = 5000
master_timeout_ms = 20000
tls = true
ca_file = "/etc/ca.pem"
certificate_file = "/etc/c.pem"
key_file = "/etc/k.pem"
master_user = "dns"
# Put the secret of mesosCredentials into this file; it is not shown here.
master_password_file = "/etc/viaduct/mesos-master.password"

[dns]
mesos = "master"
mesos_domain = "cluster.example"
mesos_ttl_s = 10
mesos_srv_weight = 7
mesos_label_rule = "rfc952"
mesos_ip_sources = ["host", "docker"]
mesos_recursion = false
mesos_enumeration = false
mesos_soa_mname = "ns.example"
mesos_soa_rname = "root@ns.example"
mesos_soa_refresh_s = 1
mesos_soa_retry_s = 2
mesos_soa_expire_s = 3
listen = ["192.0.2.53"]
port = 5353
http_listen = "[2001:db8::53]:8080"
upstreams = ["192.0.2.54", "[2001:db8::54]:5300"]
forward_zones = ["corp.example=192.0.2.55:53,192.0.2.56"]

# Nothing here stands for these:
# zkDetectionTimeout: without a leader the last names are served on, and nothing ends
# SOAMinttl: Mesos-DNS does not use it either; mesos_ttl_s counts
# timeout: servers are asked at once or after what they usually take
# setTruncateBit: what is cut always says so
# "ns": Mesos-DNS knows no such key either
)");
}

TEST(ImportMesosDns, WhatMesosDnsWouldRefuseIsAMistake) {
  const std::string start = R"({"masters": ["192.0.2.1:5050"], )";
  const std::pair<std::string, std::string> cases[] = {
      {"{}", "masters and zk are both empty"},
      {R"({"masters": ["master.example:5050"]})", "Mesos-DNS ends itself at a host name"},
      {R"({"masters": ["192.0.2.1:5050", "192.0.2.1:5050"]})", "twice"},
      {R"({"masters": "192.0.2.1:5050"})", "masters is no list of strings"},
      {start + R"("refreshSeconds": 0})", "refreshSeconds is 0"},
      {start + R"("stateTimeoutSeconds": -1})", "stateTimeoutSeconds is -1"},
      {start + R"("refreshSeconds": "60"})", "refreshSeconds is no whole number"},
      {start + R"("domain": "my_cluster"})", "domain is \"my_cluster\""},
      {start + R"("domain": ".mesos"})", "domain is"},
      {start + R"("srvRecordDefaultWeight": 65536})", "srvRecordDefaultWeight is 65536"},
      {start + R"("listener": "dns.example"})", "listener is \"dns.example\", no IP address"},
      {start + R"("dnson": false, "httpon": false})", "dnson and httpon are both false"},
      {start + R"("resolvers": ["dns.example"]})", "resolvers has \"dns.example\""},
      {start + R"("resolvers": ["192.0.2.1", "192.0.2.1"]})", "resolvers has \"192.0.2.1\" twice"},
      {start + R"("zoneResolvers": {"a.example": []}})", "has no server"},
      {start + R"("zoneResolvers": {"mesos": ["192.0.2.1"]}})", "lies in or around \"mesos\""},
      {start + R"("zoneResolvers": {"x.a.example": ["192.0.2.1"], "a.example": ["192.0.2.1"]}})",
       "lies in or around \"x.a.example\""},
      {start + R"("IPSources": []})", "IPSources must name"},
      {start + R"("IPSources": ["host", "host"]})", "IPSources must name"},
      {start + R"("IPSources": ["calico"]})", "IPSources must name"},
      {start + R"("certFile": "/etc/c.pem"})", "keyFile belong together"},
      {start + R"("mesosAuthentication": "digest"})", "none of \"\", \"basic\", \"iam\""},
      {"[]", "not a JSON object"},
      {"{", "not usable JSON"},
      {std::string(20, '[') + std::string(20, ']'), "not usable JSON"},
      {std::string(kMaxMesosDnsConfigBytes + 1, ' '), "too large"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_THAT(import_mesos_dns(text).mistakes, ElementsAre(HasSubstr(expected)))
        << text.substr(0, 100);
}

TEST(ImportMesosDns, AllMistakesAreSaidAtOnce) {
  EXPECT_EQ(import_mesos_dns(R"({"ttl": "x", "port": 0, "recurseon": 1})").mistakes.size(), 4u);
}

TEST(ImportMesosDns, WhatOursAllowOnlySoFarIsCut) {
  const auto out = import_mesos_dns(
      R"({"masters": ["192.0.2.1:5050"], "refreshSeconds": 7200, "stateTimeoutSeconds": 900, "ttl": -1})");
  EXPECT_THAT(out.toml, AllOf(HasSubstr("\nrefresh_ms = 3600000\n"),
                              HasSubstr("\nmaster_timeout_ms = 600000\n"),
                              HasSubstr("\nmesos_ttl_s = 86400\n"), HasSubstr("136 years")));
}

TEST(ImportMesosDns, NoSecretIsShown) {
  const auto out = import_mesos_dns(
      R"({"masters": ["192.0.2.1:5050"], "mesosCredentials": {"Principal": "dns", "Secret": "hidden"}})");
  EXPECT_THAT(out.toml, AllOf(Not(HasSubstr("hidden")), HasSubstr("# mesosCredentials:")));
  const auto wrong = import_mesos_dns(
      R"({"masters": ["192.0.2.1:5050"], "mesosAuthentication": "basic", "mesosCredentials": {"secret": "hidden"}})");
  EXPECT_THAT(wrong.mistakes, ElementsAre(HasSubstr("without a principal")));
}

TEST(ImportMesosDns, WhatIsOffIsNotTakenOver) {
  const auto out =
      import_mesos_dns(R"({"zk": "file:///etc/mesos/zk", "externalon": false, "httpon": false,
    "zoneResolvers": {"a.example": ["192.0.2.1"]}, "caCertFile": "ca.pem"})");
  EXPECT_THAT(out.mistakes, IsEmpty());
  EXPECT_THAT(out.toml, AllOf(HasSubstr("\nupstreams = []\n"), HasSubstr("\nhttp_listen = \"\"\n"),
                              HasSubstr("# zoneResolvers: externalon is false"),
                              HasSubstr("# caCertFile: mesosHTTPSOn is false"),
                              HasSubstr("# zk: only zk://"), Not(HasSubstr("\nzk ="))));
}

}  // namespace
}  // namespace viaduct::ctl
