#include "service/vip.h"

#include <gtest/gtest.h>

namespace viaduct::service {
namespace {

std::string name_of(std::string_view value) {
  const auto label = parse_vip_label(value, "marathon");
  if (!label) return "error: " + label.error().context;
  const auto* name = std::get_if<VipName>(&label->target);
  return (name ? name->value : "address " + std::get<base::Address>(label->target).to_string()) +
         " " + std::to_string(label->port);
}

TEST(VipLabel, NamesAreCanonical) {
  EXPECT_EQ(name_of("/app:80"), "app.marathon 80");
  EXPECT_EQ(name_of("app:80"), "app.marathon 80");
  EXPECT_EQ(name_of("/App:80"), "app.marathon 80");
  EXPECT_EQ(name_of("/a/b:80"), "ab.marathon 80");
  EXPECT_EQ(name_of("/App_Name.-x-:80"), "app-name.x.marathon 80");
  EXPECT_EQ(name_of("/app:080"), "app.marathon 80");
}

TEST(VipLabel, AddressesAreAddresses) {
  EXPECT_EQ(name_of("1.2.3.4:5000"), "address 1.2.3.4 5000");
  EXPECT_EQ(name_of("fd01:c::5:80"), "address fd01:c::5 80");
  EXPECT_EQ(name_of("[fd01:c::5]:80"), "address fd01:c::5 80");
}

TEST(VipLabel, SaysWhatIsWrong) {
  for (const char* value : {"",
                            ":80",
                            "/:80",
                            "/app",
                            "/app:0",
                            "/app:-1",
                            "/app:70000",
                            "/app:+80",
                            "/app: 80",
                            "app:80 ",
                            "/app:80/",
                            "app:8_0",
                            "app:16#50",
                            "fd01:c::5",
                            "/a:b:80",
                            "::ffff:1.2.3.4:80",
                            "01.2.3.4:5000",
                            "1.2.3:80",
                            "300.1.1.1:80",
                            "1.2.3.4.:80",
                            "0.0.0.0:1",
                            "255.255.255.255:1",
                            "127.0.0.1:80",
                            "224.0.0.1:80",
                            "169.254.0.1:80",
                            "::1:80",
                            "fe80::1:80",
                            "fe80::1%eth0:80",
                            "[1.2.3.4]:80",
                            "[app]:80",
                            "[fd01::1:80",
                            "fd01::1]:80",
                            "[]:80"}) {
    const auto label = parse_vip_label(value, "marathon");
    ASSERT_FALSE(label) << value;
    EXPECT_FALSE(label.error().context.empty()) << value;
  }
}

TEST(VipLabel, RefusesWhatMakesNoDomainName) {
  EXPECT_FALSE(parse_vip_label("/app:80", ""));
  EXPECT_FALSE(parse_vip_label("/app:80", "/"));
  std::string deep;
  for (int i = 0; i < 120; i++) deep += "a.";
  EXPECT_FALSE(parse_vip_label(deep + "a:80", "marathon"));
  EXPECT_FALSE(parse_vip_label(std::string(600, 'a') + ":80", "marathon"));
}

TEST(VipName, HasADomainName) {
  EXPECT_EQ((VipName{"web.marathon"}.fqdn()), "web.marathon.l4lb.thisdcos.directory");
}

}  // namespace
}  // namespace viaduct::service
