#include "zookeeper/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "zookeeper/errors.h"
#include "zookeeper/limits.h"

namespace viaduct::zookeeper {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(ZookeeperUrl, HasServersAndAPath) {
  const Url url =
      parse_url("zk://zk1.example:2182,192.0.2.1:2181,[2001:db8::1]:2183/mesos").value();
  EXPECT_THAT(url.servers, ElementsAre(Server{"zk1.example", 2182}, Server{"192.0.2.1", 2181},
                                       Server{"2001:db8::1", 2183}));
  EXPECT_EQ(url.path, "/mesos");
  EXPECT_EQ(url.credentials, "");
  EXPECT_EQ(url.to_string(), "zk://zk1.example:2182,192.0.2.1:2181,[2001:db8::1]:2183/mesos");
}

TEST(ZookeeperUrl, APortMayBeLeftOut) {
  const Url url = parse_url("zk://zk1.example,[2001:db8::1]/a/b").value();
  EXPECT_THAT(url.servers, ElementsAre(Server{"zk1.example", 2181}, Server{"2001:db8::1", 2181}));
  EXPECT_EQ(url.path, "/a/b");
}

TEST(ZookeeperUrl, NoPathIsTheRootAndASlashAtTheEndDoesNotCount) {
  EXPECT_EQ(parse_url("zk://zk1.example:2181").value().path, "/");
  EXPECT_EQ(parse_url("zk://zk1.example:2181/").value().path, "/");
  EXPECT_EQ(parse_url("zk://zk1.example:2181/mesos/").value().path, "/mesos");
}

TEST(ZookeeperUrl, CredentialsAreTakenAsTheyAreAndNotShown) {
  const Url url = parse_url("zk://viaduct:p@ss:w%2ford@zk1.example:2181/mesos").value();
  EXPECT_EQ(url.credentials, "viaduct:p@ss:w%2ford");
  EXPECT_THAT(url.servers, ElementsAre(Server{"zk1.example", 2181}));
  EXPECT_EQ(url.to_string(), "zk://viaduct@zk1.example:2181/mesos");
  EXPECT_EQ(parse_url("zk://viaduct:@zk1.example/").value().credentials, "viaduct:")
      << "an empty password is one";
}

TEST(ZookeeperUrl, WhatIsWrongIsNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "does not begin with zk://"},
      {"http://zk1.example/mesos", "does not begin with zk://"},
      {"ZK://zk1.example/mesos", "does not begin with zk://"},
      {"zk://", "server #1, \"\""},
      {"zk:///mesos", "server #1, \"\""},
      {"zk://a:1,/mesos", "server #2, \"\""},
      {"zk://a:1,b:0/mesos", "server #2, \"b:0\""},
      {"zk://a:65536/mesos", "server #1, \"a:65536\""},
      {"zk://a:/mesos", "server #1, \"a:\""},
      {"zk://2001:db8::1:2181/mesos", "server #1"},
      {"zk://[192.0.2.1]:2181/mesos", "server #1"},
      {"zk://[2001:db8::1:2181/mesos", "server #1"},
      {"zk://[2001:db8::1]2181/mesos", "server #1"},
      {"zk://a b:2181/mesos", "server #1"},
      {"zk://a:1//mesos", "has an empty part"},
      {"zk://a:1/mesos//", "has an empty part"},
      {"zk://a:1/./mesos", "has the part \".\""},
      {"zk://a:1/mesos/..", "has the part \"..\""},
      {std::string("zk://a:1/me\nsos"), "has a control character"},
      {"zk://viaduct@a:1/mesos", "is not user:password"},
      {"zk://:secret@a:1/mesos", "is not user:password"},
  };
  for (const auto& [text, expected] : cases) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Errc::bad_url);
    EXPECT_THAT(url.error().message(), HasSubstr(expected)) << text;
  }
}

TEST(ZookeeperUrl, NoErrorShowsThePassword) {
  for (const std::string text :
       {"zk://u:secret@a:0/mesos", "zk://u:secret@a:1/mesos//x", "zk://u:secret@/mesos",
        "zk://u:p@a/secret@b/mesos", "zk://:secret@a:1/mesos", "zk://u:secret\n@a:1/mesos",
        "zk://u:se/secret@a:1/mesos", "zk://secret@a:1/mesos"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_THAT(url.error().message(), Not(HasSubstr("secret")));
  }
}

TEST(ZookeeperUrl, HasLimits) {
  std::string servers = "zk://a";
  for (std::size_t i = 1; i < kMaxServers; i++) servers += ",a";
  EXPECT_EQ(parse_url(servers + "/mesos").value().servers.size(), kMaxServers);
  EXPECT_THAT(parse_url(servers + ",a/mesos").error().message(), HasSubstr("more than 32 servers"));
  EXPECT_FALSE(parse_url("zk://" + std::string(kMaxHostBytes + 1, 'a') + "/mesos"));
  EXPECT_THAT(parse_url("zk://a/" + std::string(kMaxUrlBytes, 'x')).error().message(),
              HasSubstr("at most 4096"));
}

}  // namespace
}  // namespace viaduct::zookeeper
