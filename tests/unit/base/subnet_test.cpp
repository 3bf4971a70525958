#include "base/subnet.h"

#include <gtest/gtest.h>

namespace viaduct::base {
namespace {

Address address(const char* text) { return *Address::parse(text); }

TEST(Subnet, ContainsWhatBeginsAlike) {
  const Subnet subnet = *Subnet::parse("192.0.2.128/25");
  EXPECT_TRUE(subnet.contains(address("192.0.2.128")));
  EXPECT_TRUE(subnet.contains(address("192.0.2.255")));
  EXPECT_FALSE(subnet.contains(address("192.0.2.127")));
  EXPECT_FALSE(subnet.contains(address("2001:db8::1")));
  EXPECT_TRUE(Subnet::parse("2001:db8::/32")->contains(address("2001:db8:ffff::1")));
  EXPECT_FALSE(Subnet::parse("2001:db8::/32")->contains(address("2001:db9::1")));
  EXPECT_TRUE(Subnet::parse("0.0.0.0/0")->contains(address("203.0.113.1")));
  EXPECT_FALSE(Subnet::parse("::/0")->contains(address("203.0.113.1")));
}

TEST(Subnet, IsReadAsItIsWritten) {
  for (const char* text : {"192.0.2.0/24", "0.0.0.0/0", "2001:db8::/33", "192.0.2.1/32"}) {
    ASSERT_TRUE(Subnet::parse(text)) << text;
    EXPECT_EQ(Subnet::parse(text)->to_string(), text);
  }
  EXPECT_EQ(Subnet::parse("192.0.2.1")->to_string(), "192.0.2.1/32");
}

TEST(Subnet, RefusesWhatIsNone) {
  for (const char* text : {"", "/24", "192.0.2.0/33", "192.0.2.1/24", "2001:db8::/129",
                           "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/8x", "2001:db8::1/64"})
    EXPECT_FALSE(Subnet::parse(text)) << text;
}

}  // namespace
}  // namespace viaduct::base
