#include "mesos/config.h"

#include <gtest/gtest.h>

#include "config/parse.h"

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;

config::Schema schema() { return {.keys = keys(), .rules = rules()}; }

TEST(MesosConfig, IsOffByDefault) {
  const Config config = from(config::parse("", "test.toml", schema()).value());
  EXPECT_FALSE(config.agent);
  EXPECT_EQ(config.poll_min, 1s);
  EXPECT_EQ(config.poll_max, 5s);
  EXPECT_EQ(config.max_answer_bytes, 67108864u);
}

TEST(MesosConfig, ReadsItsKeys) {
  const Config config = from(config::parse(R"(
[mesos]
agent = "http://192.0.2.1:5051"
poll_min_ms = 200
timeout_ms = 300
user = "viaduct"
password_file = "/etc/viaduct/mesos.password"
)",
                                           "test.toml", schema())
                                 .value());
  EXPECT_EQ(config.agent, (http::Origin{"192.0.2.1", 5051, ""}));
  EXPECT_EQ(config.poll_min, 200ms);
  EXPECT_EQ(config.timeout, 300ms);
  EXPECT_EQ(config.user, "viaduct");
  EXPECT_EQ(config.password_file, "/etc/viaduct/mesos.password");
}

TEST(MesosConfig, RefusesWhatCannotWork) {
  const auto mistakes = [](const std::string& text) {
    const auto values = config::parse("[mesos]\n" + text, "test.toml", schema());
    return values ? std::string() : values.error().to_string();
  };
  EXPECT_NE(mistakes("agent = \"ftp://a\""), "");
  EXPECT_NE(mistakes("poll_min_ms = 6000"), "");
  EXPECT_NE(mistakes("user = \"viaduct\""), "");
  EXPECT_EQ(mistakes("agent = \"http://127.0.0.1:5051\""), "");
}

}  // namespace
}  // namespace viaduct::mesos
