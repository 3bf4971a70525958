#include <dirent.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/io/dns/client.h"

namespace viaduct::dns {
namespace {

using namespace std::chrono_literals;
using test::Client;
using test::Octets;

/// Names of this process's threads that start with "vd-dns".
std::multiset<std::string> dns_threads() {
  std::multiset<std::string> names;
  DIR* tasks = ::opendir("/proc/self/task");
  while (const dirent* entry = ::readdir(tasks)) {
    std::ifstream file("/proc/self/task/" + std::string(entry->d_name) + "/comm");
    std::string name;
    if (std::getline(file, name) && name.starts_with("vd-dns")) names.insert(name);
  }
  ::closedir(tasks);
  return names;
}

TEST(DnsListen, AnswersOnEveryAddressWithEveryWorker) {
  Config config = test::loopback_config();
  config.listen = {test::loopback4(), *base::Address::parse("127.0.0.2"), test::loopback6()};
  config.workers = 3;
  Server server(config);
  ASSERT_TRUE(server.start());
  server.publish(test::table_of(test::web_snapshot()));
  ASSERT_EQ(server.listening().size(), 3u);
  EXPECT_EQ(dns_threads(), (std::multiset<std::string>{"vd-dns-0", "vd-dns-1", "vd-dns-2",
                                                       "vd-dns-tcp", "vd-dns-watch"}));
  for (const base::Endpoint& endpoint : server.listening())
    for (int i = 0; i < 30; ++i) {  // each from another port, so that every worker gets some
      EXPECT_EQ(Client(endpoint, SOCK_DGRAM).ask(test::web_query()).size(),
                test::web_query().size() + 16);
    }
  server.stop();
  EXPECT_TRUE(dns_threads().empty());
  EXPECT_TRUE(server.listening().empty());
}

TEST(DnsListen, FailsForOurZonesBeforeTheFirstTable) {
  Server server(test::loopback_config());
  ASSERT_TRUE(server.start());
  Client client(server.listening().front(), SOCK_DGRAM);
  const Octets answer = client.ask(test::web_query());
  ASSERT_GE(answer.size(), 12u);
  EXPECT_EQ(answer[3] & 0x0f, 2);
}

TEST(DnsListen, NamesAnAddressThatIsTakenServesTheOthersAndTriesAgain) {
  Server first(test::loopback_config());
  ASSERT_TRUE(first.start());
  const base::Endpoint taken = first.listening().front();

  Config config = test::loopback_config();
  config.listen = {test::loopback4(), *base::Address::parse("127.0.0.2")};
  config.port = taken.port;
  config.retry = 20ms;
  Server second(config);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, boost::system::errc::address_in_use);
  EXPECT_NE(started.error().context.find(taken.to_string()), std::string::npos)
      << started.error().context;
  EXPECT_EQ(started.error().context.find("127.0.0.2"), std::string::npos);
  ASSERT_EQ(second.listening().size(), 1u);
  second.publish(test::table_of(test::web_snapshot()));
  EXPECT_FALSE(Client(second.listening().front(), SOCK_DGRAM).ask(test::web_query()).empty());

  first.stop();
  EXPECT_TRUE(test::eventually([&] { return second.listening().size() == 2; }));
  EXPECT_FALSE(Client(taken, SOCK_DGRAM).ask(test::web_query()).empty());
  Client tcp(taken, SOCK_STREAM);
  ASSERT_TRUE(tcp.send(test::framed(test::web_query())));
  EXPECT_TRUE(tcp.receive_message());
}

TEST(DnsListen, BindsAnAddressThatDoesNotExistYet) {
  Config config = test::loopback_config();
  config.listen = {*base::Address::parse("192.0.2.1"), *base::Address::parse("2001:db8::1")};
  Server server(config);
  const auto started = server.start();
  EXPECT_TRUE(started) << started.error().message();
  EXPECT_EQ(server.listening().size(), 2u);
}

TEST(DnsListen, StopsWhileAnAddressIsStillTriedAndStartsAgain) {
  Server first(test::loopback_config());
  ASSERT_TRUE(first.start());
  Config config = test::loopback_config();
  config.port = first.listening().front().port;
  config.retry = 1h;
  Server second(config);
  EXPECT_FALSE(second.start());
  second.stop();
  first.stop();
  EXPECT_TRUE(second.start());
  EXPECT_EQ(second.listening().size(), 1u);
}

}  // namespace
}  // namespace viaduct::dns
