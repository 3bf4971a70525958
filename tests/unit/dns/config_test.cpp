#include "dns/config.h"

#include <gtest/gtest.h>

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
}

TEST(DnsConfig, TakesEveryKeyFromTheValues) {
  config::Values values(schema());
  values.set("dns.enabled", false);
  values.set("dns.listen", std::vector<std::string>{"192.0.2.1"});
  values.set("dns.port", std::int64_t{5353});
  values.set("dns.workers", std::int64_t{3});
  values.set("dns.ttl_s", std::int64_t{7});
  values.set("dns.negative_ttl_s", std::int64_t{2});
  const Config config = from(values);
  EXPECT_FALSE(config.enabled);
  EXPECT_EQ(config.listen, std::vector<base::Address>{*base::Address::parse("192.0.2.1")});
  EXPECT_EQ(config.port, 5353);
  EXPECT_EQ(config.workers, 3u);
  EXPECT_EQ(config.zones.ttl_s, 7u);
  EXPECT_EQ(config.zones.negative_ttl_s, 2u);
}

}  // namespace
}  // namespace viaduct::dns
