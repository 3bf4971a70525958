#include "http/origin.h"

#include <gtest/gtest.h>

#include "http/errors.h"

namespace viaduct::http {
namespace {

TEST(Origin, ReadsHttpUrlsHostsWithPortsAndSocketPaths) {
  EXPECT_EQ(parse_origin("http://192.0.2.1:5051").value(), (Origin{"192.0.2.1", 5051, ""}));
  EXPECT_EQ(parse_origin("agent.example:5051").value(), (Origin{"agent.example", 5051, ""}));
  EXPECT_EQ(parse_origin("http://[2001:db8::1]:80").value(), (Origin{"2001:db8::1", 80, ""}));
  EXPECT_EQ(parse_origin("/run/viaduct/api.sock").value(),
            (Origin{"", 0, "/run/viaduct/api.sock"}));
  EXPECT_EQ(parse_origin("unix:/run/a.sock").value(), (Origin{"", 0, "/run/a.sock"}));
}

TEST(Origin, ReadsHttpsUrlsWithAPortOfTheirOwn) {
  EXPECT_EQ(parse_origin("https://192.0.2.1:5050").value(), (Origin{"192.0.2.1", 5050, "", true}));
  for (const char* text : {"https://m.example", "https://m.example/", "https://m.example:443"})
    EXPECT_EQ(parse_origin(text).value(), (Origin{"m.example", 443, "", true})) << text;
  EXPECT_EQ(parse_origin("https://[2001:db8::1]").value(), (Origin{"2001:db8::1", 443, "", true}));
}

TEST(Origin, WritesWhatItReads) {
  for (const char* text : {"http://192.0.2.1:5051", "http://[2001:db8::1]:80", "unix:/run/a.sock",
                           "https://192.0.2.1:5051", "https://[2001:db8::1]:443"})
    EXPECT_EQ(parse_origin(text).value().to_string(), text);
}

TEST(Origin, RefusesWhatIsNoPlaceForRequestsAndQuotesIt) {
  const std::string long_path = "/" + std::string(200, 'x');
  for (const auto& text : {std::string("ftp://a:1"), std::string("http://a:99999"), std::string(""),
                           std::string("https://"), std::string("HTTPS://a"), long_path}) {
    const auto origin = parse_origin(text);
    ASSERT_FALSE(origin) << text;
    EXPECT_EQ(origin.error().code, Errc::bad_origin);
    EXPECT_NE(origin.error().message().find(text.substr(0, 100)), std::string::npos);
  }
}

}  // namespace
}  // namespace viaduct::http
