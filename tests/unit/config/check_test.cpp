#include "config/check.h"

#include <gmock/gmock.h>

namespace viaduct::config {
namespace {

TEST(Check, HttpOriginsHaveAHostAndMayHaveAPort) {
  EXPECT_EQ(parse_http_origin("http://127.0.0.1:5051"), (HttpOrigin{"127.0.0.1", 5051}));
  EXPECT_EQ(parse_http_origin("http://agent.example/"), (HttpOrigin{"agent.example", 80}));
  EXPECT_EQ(parse_http_origin("http://[2001:db8::1]:5051"), (HttpOrigin{"2001:db8::1", 5051}));
  for (const char* bad : {"", "https://a", "agent:5051", "http://", "http://a:0", "http://a:70000",
                          "http://a:", "http://a/state", "http://[::1", "http://[10.0.0.1]",
                          "http://a b", "http://2001:db8::1"})
    EXPECT_EQ(parse_http_origin(bad), std::nullopt) << bad;
}

TEST(Check, RangesHaveOneFamilyAndGoUp) {
  const auto range = parse_address_range("11.0.0.0-11.255.255.255");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->second.to_string(), "11.255.255.255");
  EXPECT_FALSE(check_ipv6_range("fd01:c::-fd01:c::ffff"));
  for (const char* bad : {"", "11.0.0.0", "11.0.0.1-11.0.0.0", "11.0.0.0-fd01::1", "-", "a-b"})
    EXPECT_EQ(parse_address_range(bad), std::nullopt) << bad;
  EXPECT_TRUE(check_ipv4_range("fd01:c::-fd01:c::ffff"));
}

TEST(Check, SocketPathsFitTheSystemsAddress) {
  EXPECT_FALSE(check_socket_path_or_empty(""));
  EXPECT_FALSE(check_socket_path_or_empty("/" + std::string(106, 'a')));
  EXPECT_TRUE(check_socket_path_or_empty("/" + std::string(107, 'a')));
  EXPECT_TRUE(check_socket_path_or_empty("run/api.sock"));
}

TEST(Check, LinkNamesAreWhatTheKernelTakes) {
  EXPECT_FALSE(check_link_name("viaduct0"));
  for (const char* bad : {"", "a/b", "0123456789abcdef", "a b", "..", "veth*"})
    EXPECT_TRUE(check_link_name(bad)) << bad;
  EXPECT_FALSE(check_link_pattern("veth*"));
  EXPECT_FALSE(check_link_pattern("*"));
  EXPECT_TRUE(check_link_pattern("v*th"));
}

TEST(Check, OptionalValuesMayBeEmptyAndOthersMustBeValid) {
  EXPECT_FALSE(check_ipv4_or_empty(""));
  EXPECT_TRUE(check_ipv4_or_empty("fd01::1"));
  EXPECT_FALSE(check_endpoint_or_empty("[::1]:80"));
  EXPECT_TRUE(check_endpoint_or_empty("127.0.0.1"));
  EXPECT_TRUE(check_address(""));
  EXPECT_TRUE(check_node_name_or_empty("a b"));
  EXPECT_TRUE(check_not_empty(""));
}

}  // namespace
}  // namespace viaduct::config
