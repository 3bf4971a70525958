#include "mesos/master_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/io/file.h"
#include "config/help.h"
#include "config/parse.h"
#include "mesos/config.h"

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

config::Schema schema() { return {.keys = keys(), .rules = rules()}; }

MasterConfig read(const std::string& text) {
  return from(config::parse("[mesos]\n" + text, "test.toml", schema()).value()).master;
}

std::string mistakes(const std::string& text) {
  const auto values = config::parse("[mesos]\n" + text, "test.toml", schema());
  return values ? std::string() : values.error().to_string();
}

TEST(MasterConfig, IsOffByDefault) {
  const MasterConfig config = read("");
  EXPECT_FALSE(config.enabled());
  EXPECT_EQ(config.refresh, 60s);
  EXPECT_EQ(config.timeout, 30s);
  EXPECT_EQ(config.hold, 600s);
  EXPECT_EQ(config.max_answer_bytes, std::size_t{512} << 20);
  EXPECT_EQ(config.token_scheme, "Bearer");
  EXPECT_FALSE(config.tls);
}

TEST(MasterConfig, ReadsItsKeys) {
  const MasterConfig config = read(R"(
masters = ["192.0.2.1:5050", "[2001:db8::2]:5050"]
zk = "zk://user:password@192.0.2.1:2181,zk.example:2181/mesos"
zk_timeout_ms = 4000
refresh_ms = 5000
master_timeout_ms = 6000
master_max_answer_bytes = 70000
hold_ms = 7000
tls = true
ca_file = "/etc/viaduct/ca.pem"
certificate_file = "/etc/viaduct/own.pem"
key_file = "/etc/viaduct/own.key"
master_token_file = "/etc/viaduct/token"
master_token_scheme = "token="
)");
  EXPECT_TRUE(config.enabled());
  ASSERT_EQ(config.masters.size(), 2u);
  EXPECT_EQ(config.masters[1].to_string(), "[2001:db8::2]:5050");
  EXPECT_EQ(config.zookeeper, "zk://user:password@192.0.2.1:2181,zk.example:2181/mesos");
  EXPECT_EQ(config.zookeeper_timeout, 4s);
  EXPECT_EQ(config.refresh, 5s);
  EXPECT_EQ(config.timeout, 6s);
  EXPECT_EQ(config.max_answer_bytes, 70000u);
  EXPECT_EQ(config.hold, 7s);
  EXPECT_TRUE(config.tls);
  EXPECT_EQ(config.ca_file, "/etc/viaduct/ca.pem");
  EXPECT_EQ(config.certificate_file, "/etc/viaduct/own.pem");
  EXPECT_EQ(config.key_file, "/etc/viaduct/own.key");
  EXPECT_EQ(config.token_file, "/etc/viaduct/token");
  EXPECT_EQ(config.token_scheme, "token=");
  EXPECT_TRUE(read("zk = \"zk://192.0.2.1:2181/mesos\"").enabled());
  EXPECT_EQ(read("master_user = \"u\"\nmaster_password_file = \"/p\"").password_file, "/p");
}

TEST(MasterConfig, RefusesANameOfAMasterClearly) {
  EXPECT_THAT(mistakes(R"(masters = ["master.example:5050"])"),
              HasSubstr("names a master by a host name"));
  EXPECT_THAT(mistakes(R"(masters = ["leader"])"), HasSubstr("by a host name"));
  for (const char* text : {"192.0.2.1", "192.0.2.1:0", "192.0.2.1:70000", "", "2001:db8::1:5050",
                           "http://192.0.2.1:5050"})
    EXPECT_THAT(mistakes("masters = [\"" + std::string(text) + "\"]"),
                HasSubstr("is not of the form address:port"))
        << text;
}

TEST(MasterConfig, RefusesWhatCannotWork) {
  EXPECT_THAT(mistakes(R"(masters = ["192.0.2.1:5050", "192.0.2.1:5050"])"),
              HasSubstr("has 192.0.2.1:5050 twice"));
  std::string many;
  for (int i = 1; i <= 33; i++) many += "\"192.0.2." + std::to_string(i) + ":5050\",";
  EXPECT_THAT(mistakes("masters = [" + many + "]"), HasSubstr("more than 32"));
  EXPECT_THAT(mistakes("zk = \"192.0.2.1:2181\""), HasSubstr("zk://"));
  EXPECT_THAT(mistakes("zk = \"zk:///mesos\""), HasSubstr("server #1"));
  EXPECT_THAT(mistakes("ca_file = \"/a\""), HasSubstr("mesos.ca_file is set"));
  EXPECT_THAT(mistakes("ca_file = \"a\"\ntls = true"), HasSubstr("mesos.ca_file"));
  EXPECT_THAT(mistakes("tls = true\nkey_file = \"/a\""), HasSubstr("belong together"));
  EXPECT_THAT(mistakes("master_user = \"u\""), HasSubstr("belong together"));
  EXPECT_THAT(mistakes("master_user = \"u\"\nmaster_password_file = \"/p\"\n"
                       "master_token_file = \"/t\""),
              HasSubstr("exclude each other"));
  EXPECT_NE(mistakes("master_token_scheme = \"Basic\""), "");
  EXPECT_NE(mistakes("refresh_ms = 1"), "");
}

TEST(MasterConfig, TheReadmeHasItsTable) {
  const auto readme =
      base::read_file(VIADUCT_TEST_DATA "/../../userspace/mesos/README.md", 1 << 20).value();
  EXPECT_THAT(readme, HasSubstr(config::markdown_table(master_keys())));
}

}  // namespace
}  // namespace viaduct::mesos
