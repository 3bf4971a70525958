#include "base/address.h"

#include <gtest/gtest.h>

#include <set>

namespace viaduct::base {
namespace {

TEST(Address, ReadsWhatItWrites) {
  for (const char* text :
       {"192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::1", "fd01:c::5", "::"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(Address, RefusesLaxForms) {
  for (const char* text :
       {"", "1.2.3", "1.2.3.4.", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "0x1.2.3.4", " 1.2.3.4",
        "1.2.3.4 ", "[::1]", "fe80::1%eth0", "::1/128", "::ffff:1.2.3.4", ":::", "g::1", "1.2..3"})
    EXPECT_FALSE(Address::parse(text)) << text;
}

TEST(Address, RefusesAnEmbeddedNul) {
  EXPECT_FALSE(Address::parse(std::string_view("::1\0junk", 8)));
}

TEST(Address, KnowsItsKind) {
  EXPECT_TRUE(Address::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(Address::parse("::1")->is_loopback());
  EXPECT_FALSE(Address::parse("::2")->is_loopback());
  EXPECT_TRUE(Address::parse("224.0.0.1")->is_multicast());
  EXPECT_TRUE(Address::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(Address::parse("255.255.255.255")->is_broadcast());
  EXPECT_TRUE(Address::parse("169.254.1.1")->is_link_local());
  EXPECT_TRUE(Address::parse("febf::1")->is_link_local());
  EXPECT_FALSE(Address::parse("fec0::1")->is_link_local());
  EXPECT_TRUE(Address::parse("::")->is_unspecified());
  EXPECT_TRUE(Address().is_unspecified());
}

TEST(Address, SortsAsNumbersWithinAFamily) {
  EXPECT_LT(*Address::parse("9.0.0.1"), *Address::parse("10.0.0.1"));
  EXPECT_EQ(Address::parse("10.0.0.1")->v4_value(), 0x0a000001u);
}

TEST(Endpoint, ReadsWhatItWrites) {
  for (const char* text : {"192.0.2.1:80", "[2001:db8::1]:65535"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->to_string(), text);
  }
}

TEST(Endpoint, RefusesAnythingElse) {
  for (const char* text : {"192.0.2.1", "192.0.2.1:0", "192.0.2.1:70000",
                           "192.0.2.1:", "[192.0.2.1]:80", "2001:db8::1:80", ":80", "[]:80"})
    EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(Port, IsDecimalFrom1To65535) {
  EXPECT_EQ(parse_port("080"), 80);
  EXPECT_EQ(parse_port("65535"), 65535);
  for (const char* text :
       {"", "0", "000", "65536", "70000", "+80", "-1", " 80", "80 ", "8_0", "16#50", "99999999999"})
    EXPECT_FALSE(parse_port(text)) << text;
}

TEST(Protocol, IgnoresCase) {
  EXPECT_EQ(parse_protocol("TCP"), Protocol::tcp);
  EXPECT_EQ(parse_protocol("uDp"), Protocol::udp);
  EXPECT_FALSE(parse_protocol("sctp"));
  EXPECT_FALSE(parse_protocol(""));
}

}  // namespace
}  // namespace viaduct::base
