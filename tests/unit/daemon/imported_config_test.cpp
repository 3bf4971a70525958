#include <gtest/gtest.h>

#include "config/parse.h"
#include "daemon/config.h"
#include "tools/viaductctl/import_mesos_dns.h"

namespace viaduct::daemon {
namespace {

/// What viaductd says of an imported configuration; "": it takes it.
std::string refusal(const std::string& config) {
  const auto imported = ctl::import_mesos_dns(config);
  for (const std::string& mistake : imported.mistakes) ADD_FAILURE() << mistake;
  const auto values = config::parse(imported.toml, "imported", schema());
  return values ? "" : values.error().to_string();
}

TEST(ImportedConfig, OfMesosDnsIsTaken) {
  EXPECT_EQ(refusal(R"({"masters": ["192.0.2.1:5050"]})"), "");
  EXPECT_EQ(refusal(R"({
    "zk": "zk://user:password@192.0.2.9:2181,192.0.2.10:2181/mesos", "refreshSeconds": 100000, "domain": "Cluster.Example",
    "stateTimeoutSeconds": 100000, "ttl": -1, "srvRecordDefaultWeight": 65535, "enforceRFC952": true, "IPSources": ["host", "docker"],
    "SOAMname": "ns.example.", "SOARname": "root@ns.example", "listener": "192.0.2.53", "port": 5353,
    "httplistener": "2001:db8::53", "resolvers": ["192.0.2.54", "[2001:db8::54]:5300"],
    "zoneResolvers": {"corp.example": ["192.0.2.55:53", "192.0.2.56"]}, "mesosHTTPSOn": true, "caCertFile": "/etc/ca.pem",
    "certFile": "/etc/c.pem", "keyFile": "/etc/k.pem", "mesosAuthentication": "basic",
    "mesosCredentials": {"principal": "dns", "secret": "hidden"}, "setTruncateBit": false, "unknown": 1})"),
            "");
  EXPECT_EQ(
      refusal(
          R"({"masters": ["[2001:db8::1]:5050"], "externalon": false, "httpon": false, "caCertFile": "ca.pem"})"),
      "");
}

}  // namespace
}  // namespace viaduct::daemon
