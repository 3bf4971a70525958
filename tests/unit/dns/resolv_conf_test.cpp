#include "dns/resolv_conf.h"

#include <gtest/gtest.h>

namespace viaduct::dns {
namespace {

TEST(ResolvConf, NamesServersAndDomains) {
  std::vector<base::Address> servers;
  for (const char* text : {"198.51.100.1", "fd01:d::c633:6401", "198.51.100.2", "198.51.100.3"})
    servers.push_back(*base::Address::parse(text));
  const std::vector<std::string> search = {"marathon.l4lb.thisdcos.directory", "example.com"};
  EXPECT_EQ(resolv_conf(servers, search),
            "# written by viaductd (dns.resolv_conf); changes are overwritten\n"
            "search marathon.l4lb.thisdcos.directory example.com\n"
            "nameserver 198.51.100.1\n"
            "nameserver fd01:d::c633:6401\n"
            "nameserver 198.51.100.2\n"
            "options timeout:1 attempts:3\n")
      << "glibc reads three servers";
  EXPECT_EQ(resolv_conf(std::span(servers).first(1), {}).find("search"), std::string::npos);
}

}  // namespace
}  // namespace viaduct::dns
