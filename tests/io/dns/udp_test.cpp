#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "base/time.h"
#include "tests/io/dns/client.h"

namespace viaduct::dns {
namespace {

using test::Client;
using test::Octets;

class DnsUdp : public testing::TestWithParam<base::Address> {
 protected:
  void SetUp() override {
    const auto started = server_.start();
    ASSERT_TRUE(started) << started.error().message();
    server_.publish(test::table_of(test::web_snapshot()));
    ASSERT_EQ(server_.listening().size(), 1u);
  }
  base::Endpoint endpoint() const { return server_.listening().front(); }

  Server server_{test::loopback_config(GetParam())};
};

TEST_P(DnsUdp, AnswersWhatTheTableSays) {
  Client client(endpoint(), SOCK_DGRAM);
  const Octets answer = client.ask(test::web_query(7));
  ASSERT_EQ(answer.size(), test::web_query().size() + 16);
  EXPECT_EQ(read16(&answer[0]), 7);
  EXPECT_EQ(read16(&answer[6]), 1);
  EXPECT_EQ(read32(&answer[answer.size() - 4]), 0x0b000001u);
}

TEST_P(DnsUdp, AnswersABurstThatIsLargerThanABatchEachQueryOnce) {
  constexpr std::uint16_t kQueries = 500;
  Client client(endpoint(), SOCK_DGRAM, 4 << 20);
  for (std::uint16_t id = 0; id < kQueries; ++id) ASSERT_TRUE(client.send(test::web_query(id)));
  std::array<int, kQueries> answers{};
  for (int i = 0; i < kQueries; ++i) {
    const Octets answer = client.receive();
    ASSERT_GE(answer.size(), 2u);
    ASSERT_LT(read16(&answer[0]), kQueries);
    ++answers[read16(&answer[0])];
  }
  for (const int n : answers) EXPECT_EQ(n, 1);
  EXPECT_TRUE(test::eventually([&] { return server_.stats().queries() == kQueries; }));
}

TEST_P(DnsUdp, CountsWhatBecameOfEachMessageAndAnswersNoResponse) {
  Client client(endpoint(), SOCK_DGRAM);
  EXPECT_TRUE(client.send(test::MessageBuilder(3, 0x8000).question("x.example", Type::a)));
  EXPECT_TRUE(client.send(Octets(5)));
  EXPECT_TRUE(client.send(Octets{}));
  const Octets answer = client.ask(test::MessageBuilder(4).question("x.example", Type::a));
  ASSERT_GE(answer.size(), 12u);
  EXPECT_EQ(read16(&answer[0]), 4);  // nothing came before it
  const UdpStats stats = server_.stats().udp;
  EXPECT_EQ(test::count(stats.outcomes, Outcome::dropped), 3u);
  EXPECT_EQ(test::count(stats.outcomes, Outcome::refused), 1u);
}

TEST_P(DnsUdp, AnswersAQueryThatIsTooLongWithAFormatError) {
  Client client(endpoint(), SOCK_DGRAM);
  const Octets answer =
      client.ask(test::MessageBuilder(5).question("x.example", Type::a).opt({.options = [] {
        Octets padding(3000);
        write16(&padding[0], 12);
        write16(&padding[2], 2996);
        return padding;
      }()}));
  ASSERT_GE(answer.size(), 12u);
  EXPECT_EQ(answer[3] & 0x0f, 1);
}

TEST_P(DnsUdp, TruncatesAndGivesTheWholeAnswerOverTcp) {
  service::Snapshot snapshot = test::web_snapshot();
  service::NamedVip web = snapshot.names[0];
  for (unsigned i = 2; i < 200; ++i) web.addresses.push_back(base::Address::v4(0x0b000000 + i));
  snapshot.names = {web};
  server_.publish(test::table_of(snapshot));
  Client udp(endpoint(), SOCK_DGRAM);
  const Octets cut = udp.ask(test::web_query());
  ASSERT_GE(cut.size(), 12u);
  EXPECT_TRUE(cut[2] & 0x02);
  EXPECT_EQ(read16(&cut[6]), 0);
  Client tcp(endpoint(), SOCK_STREAM);
  ASSERT_TRUE(tcp.send(test::framed(test::web_query())));
  const auto whole = tcp.receive_message();
  ASSERT_TRUE(whole);
  EXPECT_EQ(read16(&(*whole)[6]), 199);
}

TEST_P(DnsUdp, SaysThatItLivesAlsoWhenNobodyAsks) {
  const base::Time first = server_.last_alive();
  const base::Time end = base::Clock::now() + std::chrono::seconds(10);
  EXPECT_GT(first, base::Time());
  base::Time last = first;
  while (last == first && base::Clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    last = server_.last_alive();
  }
  EXPECT_GT(last, first);
  EXPECT_LE(last, base::Clock::now());
  server_.stop();
  EXPECT_EQ(server_.last_alive(), base::Time());
}

INSTANTIATE_TEST_SUITE_P(Loopback, DnsUdp, testing::Values(test::loopback4(), test::loopback6()),
                         [](const auto& address) {
                           return address.param.is_v4() ? "IPv4" : "IPv6";
                         });

}  // namespace
}  // namespace viaduct::dns
