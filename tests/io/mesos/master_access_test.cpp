#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "mesos/io/master_watch.h"
#include "tests/io/mesos/watch_harness.h"
#include "tests/support/certificate.h"

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;
using test::CoroExchange;
using test::CoroServer;
using testing::HasSubstr;
using testing::Not;
namespace asio = boost::asio;

/// An empty cluster for who shows that header; 401 for others.
CoroServer::Handler master_for(const std::string& expected, int& refused) {
  return [&expected, &refused](CoroExchange& exchange) -> asio::awaitable<void> {
    if (exchange.headers["authorization"] != expected) {
      refused++;
      co_return co_await exchange.answer(
          401, "", "WWW-Authenticate: Basic realm=\"mesos-master-readwrite\"\r\n");
    }
    co_await exchange.send(stream_head() + chunk(subscribed()));
    co_await exchange.gone();
  };
}

class MasterAccess : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = authority.folder() / name;
    std::ofstream(path) << text;
    return path;
  }

  test::Authority authority{"master-access"};
  test::Authority stranger{"master-stranger"};
  Watcher watcher;
};

TEST_F(MasterAccess, ThePasswordThatTheFileHasNowIsSent) {
  int refused = 0;
  std::string expected = "Basic dmlhZHVjdDpzZWNyZXQ=";  // viaduct:secret
  CoroServer master(watcher.context, master_for(expected, refused));
  MasterConfig config = Watcher::config_of({&master});
  config.user = "viaduct";
  config.password_file = write("password", "older\n");
  watcher.start(config);
  ASSERT_TRUE(watcher.until([&] { return refused >= 2; }));
  EXPECT_TRUE(watcher.has_failed_with("gave 401"));
  write("password", "secret\n");
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }));
  for (const std::string& failure : watcher.failures) EXPECT_THAT(failure, Not(HasSubstr("older")));
}

TEST_F(MasterAccess, ATokenIsToldAsTheSchemeSays) {
  for (const auto& [scheme, header] :
       {std::pair{"Bearer", "Bearer a.b-c"}, std::pair{"token=", "token=a.b-c"}}) {
    Watcher own;
    int refused = 0;
    const std::string expected = header;
    CoroServer master(own.context, master_for(expected, refused));
    MasterConfig config = Watcher::config_of({&master});
    config.token_file = write("token", "a.b-c\n");
    config.token_scheme = scheme;
    own.start(config);
    ASSERT_TRUE(own.until([&] { return own.successes == 1; })) << scheme;
    EXPECT_EQ(refused, 0);
  }
}

TEST_F(MasterAccess, ASecretThatCannotBeReadOrSentIsNamedByItsFile) {
  int refused = 0;
  const std::string expected;
  CoroServer master(watcher.context, master_for(expected, refused));
  MasterConfig config = Watcher::config_of({&master});
  config.token_file = write("token", "two words\r\nX-Other: a");
  watcher.start(config);
  ASSERT_TRUE(watcher.until([&] { return watcher.failures.size() == 2; }));
  EXPECT_TRUE(watcher.has_failed_with(config.token_file + " holds no token"));
  std::filesystem::remove(config.token_file);
  ASSERT_TRUE(watcher.until([&] { return watcher.has_failed_with("No such file"); }));
  EXPECT_EQ(master.accepted(), 0u);
}

TEST_F(MasterAccess, CredentialsGoToMastersAloneWhereverARedirectLeads) {
  for (const std::string host : {"127.0.0.2", "localhost"}) {
    Watcher own;
    int refused = 0;
    const std::string expected = "Bearer abc";
    CoroServer elsewhere(own.context, master_for(expected, refused),
                         host == "localhost" ? "127.0.0.1" : host);
    CoroServer master(own.context, [&](CoroExchange& exchange) -> asio::awaitable<void> {
      co_await exchange.redirect("//" + host + ":" + std::to_string(elsewhere.endpoint().port) +
                                 "/master/api/v1");
    });
    MasterConfig config = Watcher::config_of({&master});
    config.token_file = write("token", "abc");
    own.start(config);
    ASSERT_TRUE(own.until([&] { return own.failures.size() >= 2; }));
    EXPECT_THAT(own.failures[0], HasSubstr("none of the masters: no credentials are sent there"));
    EXPECT_EQ(elsewhere.accepted(), 0u);
    // ZooKeeper names it: now it is a master.
    own.watch->set_masters({{master.endpoint(), elsewhere.endpoint()}, std::nullopt});
    ASSERT_TRUE(own.until([&] { return own.successes == 1; }));
    EXPECT_EQ(own.watch->leader(), elsewhere.endpoint());
  }
}

TEST_F(MasterAccess, AMasterIsAskedOverTls) {
  const auto certificate = authority.issue("m", "IP:127.0.0.1");
  const auto client = authority.issue("viaduct", "DNS:node.example");
  std::string seen;
  CoroServer master(watcher.context,
                    CoroServer::Tls{certificate.certificate, certificate.key, authority.ca()},
                    [&](CoroExchange& exchange) -> asio::awaitable<void> {
                      seen = exchange.client;
                      co_await exchange.send(stream_head() + chunk(subscribed()));
                      co_await exchange.gone();
                    });
  MasterConfig config = Watcher::config_of({&master});
  config.tls = true;
  config.ca_file = authority.ca();
  config.certificate_file = client.certificate;
  config.key_file = client.key;
  watcher.start(config);
  ASSERT_TRUE(watcher.until([&] { return watcher.successes == 1; }))
      << testing::PrintToString(watcher.failures);
  EXPECT_EQ(seen, "viaduct");
}

TEST_F(MasterAccess, AMasterThatIsNotTrustedIsNotAskedAndTheNextOneIs) {
  const std::pair<test::Issued, std::string> bad[] = {
      {stranger.issue("s", "IP:127.0.0.1"), "issuer certificate"},
      {authority.issue("old", "IP:127.0.0.1", -7200, -3600), "certificate has expired"},
      {authority.issue("other", "IP:192.0.2.1"), "IP address mismatch"},
  };
  const auto good = authority.issue("good", "IP:127.0.0.2");
  for (const auto& [certificate, reason] : bad) {
    Watcher own;
    bool asked = false;
    CoroServer liar(own.context, CoroServer::Tls{certificate.certificate, certificate.key},
                    [&](CoroExchange& exchange) -> asio::awaitable<void> {
                      asked = true;
                      co_await exchange.answer(200, "");
                    });
    CoroServer master(
        own.context, CoroServer::Tls{good.certificate, good.key},
        [](CoroExchange& exchange) -> asio::awaitable<void> {
          co_await exchange.send(stream_head() + chunk(subscribed()));
          co_await exchange.gone();
        },
        "127.0.0.2");
    MasterConfig config = Watcher::config_of({&liar, &master});
    config.tls = true;
    config.ca_file = authority.ca();
    own.start(config);
    ASSERT_TRUE(own.until([&] { return own.successes == 1; })) << reason;
    EXPECT_FALSE(asked);
    EXPECT_TRUE(own.has_failed_with(reason)) << testing::PrintToString(own.failures);
  }
}

TEST_F(MasterAccess, ARedirectDoesNotLeadAwayFromTls) {
  const auto certificate = authority.issue("m", "IP:127.0.0.1");
  int refused = 0;
  const std::string expected;
  CoroServer plain(watcher.context, master_for(expected, refused), "127.0.0.2");
  CoroServer master(watcher.context, CoroServer::Tls{certificate.certificate, certificate.key},
                    [&](CoroExchange& exchange) -> asio::awaitable<void> {
                      co_await exchange.redirect(plain.url() + "/api/v1");
                    });
  MasterConfig config = Watcher::config_of({&master});
  config.tls = true;
  config.ca_file = authority.ca();
  watcher.start(config);
  ASSERT_TRUE(watcher.until([&] { return watcher.has_failed_with("away from TLS"); }));
  EXPECT_EQ(plain.accepted(), 0u);
}

}  // namespace
}  // namespace viaduct::mesos
