#include <gtest/gtest.h>

#include <future>

#include "tests/io/dns/scripted_upstream.h"

namespace viaduct::dns {
namespace {

using namespace std::chrono_literals;
using test::Client;
using test::Octets;
using test::ScriptedReply;
using test::ScriptedUpstream;
using Clock = std::chrono::steady_clock;

constexpr int kServerFailure = 2;
constexpr int kRefused = 5;

Octets query_for(const std::string& name, std::uint16_t id = 7) {
  return test::MessageBuilder(id).question(name, Type::a);
}
int rcode_of(const Octets& answer) { return answer.size() < 12 ? -1 : answer[3] & 0x0f; }

class DnsForward : public testing::Test {
 protected:
  void start(const std::vector<base::Endpoint>& upstreams,
             const std::vector<forward::ForwardZone>& zones = {}) {
    Config config = test::loopback_config();
    config.forward.upstreams = upstreams;
    config.forward.zones = zones;
    server_ = std::make_unique<Server>(config);
    const auto started = server_->start();
    ASSERT_TRUE(started) << started.error().message();
    server_->publish(test::table_of(test::web_snapshot()));
  }
  base::Endpoint endpoint() const { return server_->listening().front(); }
  Octets ask(const std::string& name) {
    return Client(endpoint(), SOCK_DGRAM).ask(query_for(name));
  }
  /// Asks until nothing is in flight any more, as it must be within the exchanges' limit.
  bool is_idle() {
    return test::eventually([&] {
      const auto stats = *server_->stats().forward;
      return stats.waiting == 0 && stats.lookups == 0 && stats.exchanges == 0;
    });
  }

  std::unique_ptr<Server> server_;
};

TEST_F(DnsForward, AnswersOverUdpAndTcpFromTheUpstreamAndThenFromTheCache) {
  ScriptedUpstream upstream(test::honest());
  start({upstream.endpoint()});
  const Octets query = test::MessageBuilder(9).question("WwW.Example", Type::a).opt();
  Client client(endpoint(), SOCK_DGRAM);
  const Octets answer = client.ask(query);
  EXPECT_EQ(test::address_in(answer), test::true_address(query));
  EXPECT_EQ(read16(&answer[0]), 9);
  EXPECT_EQ(answer[2], 0x81);  // QR, RD, not AA
  EXPECT_EQ(answer[3], 0x80);  // RA
  EXPECT_TRUE(std::equal(answer.begin() + 12, answer.begin() + 29, query.begin() + 12));
  EXPECT_EQ(read16(&answer[10]), 1) << "our OPT";

  Client tcp(endpoint(), SOCK_STREAM);
  ASSERT_TRUE(tcp.send(test::framed(query_for("www.example", 10))));
  const auto second = tcp.receive_message();
  ASSERT_TRUE(second);
  EXPECT_EQ(test::address_in(*second), test::true_address(query));
  EXPECT_EQ(read16(&(*second)[10]), 0) << "no OPT without one in the query";
  ASSERT_TRUE(tcp.send(test::framed(query_for("other.example", 11))));
  EXPECT_EQ(test::address_in(tcp.receive_message().value_or(Octets{})),
            test::true_address(query_for("other.example")));
  const forward::Counts counts = server_->stats().forward->counts;
  EXPECT_EQ(counts.from_upstream, 2u);
  EXPECT_EQ(counts.from_cache, 1u);
  EXPECT_EQ(test::address_in(ask("OTHER.example")), test::true_address(query_for("other.example")));
  EXPECT_EQ(server_->stats().forward->counts.from_cache, 2u);
  EXPECT_EQ(test::address_in(client.ask(test::web_query())), 0x0b000001u) << "our zone";
}

TEST_F(DnsForward, GivesAnAnswerQuicklyHoweverTheOtherUpstreamsAre) {
  ScriptedUpstream good(test::honest());
  const auto limit = forward::kExchangeLimit;  // sooner than a silent one is given up
  for (const test::Script& script :
       {test::dead(), test::slow(900ms), test::lying(), test::garbage(), test::error_code(2),
        test::error_code(5), test::error_code(1)}) {
    ScriptedUpstream bad(script), worse(test::dead());
    start({bad.endpoint(), worse.endpoint(), good.endpoint()});
    for (int i = 0; i < 5; ++i) {
      const std::string name = "n" + std::to_string(i) + ".example";
      const auto before = Clock::now();
      EXPECT_EQ(test::address_in(ask(name)), test::true_address(query_for(name)));
      EXPECT_LT(Clock::now() - before, limit);
    }
  }
  EXPECT_TRUE(is_idle());
}

TEST_F(DnsForward, FailsAtOnceWhenEveryUpstreamRefusesTheConnection) {
  std::vector<base::Endpoint> closed;
  for (int i = 0; i < 2; ++i) closed.push_back(ScriptedUpstream(test::dead()).endpoint());
  start(closed);
  const auto before = Clock::now();
  EXPECT_EQ(rcode_of(ask("a.example")), kServerFailure);
  EXPECT_LT(Clock::now() - before, forward::kExchangeLimit) << "no time-out was waited for";
  EXPECT_TRUE(is_idle());
}

TEST_F(DnsForward, FailsWithinFiveSecondsAndThenSoonerWhenNobodyAnswers) {
  ScriptedUpstream one(test::dead()), two(test::lying());
  start({one.endpoint(), two.endpoint()});
  auto before = Clock::now();
  EXPECT_EQ(rcode_of(ask("a.example")), kServerFailure);
  EXPECT_LT(Clock::now() - before, forward::kLookupLimit + 1s);
  before = Clock::now();
  EXPECT_EQ(rcode_of(ask("a.example")), kServerFailure);
  EXPECT_LT(Clock::now() - before, forward::kDownLookupLimit) << "the failure is kept";
  before = Clock::now();
  EXPECT_EQ(rcode_of(ask("b.example")), kServerFailure);
  EXPECT_LT(Clock::now() - before, forward::kLookupLimit) << "all are known to be down";
  EXPECT_TRUE(is_idle());
}

TEST_F(DnsForward, AsksAgainOverOneTcpConnectionWhatWasTruncated) {
  ScriptedUpstream upstream(test::truncating());
  start({upstream.endpoint()});
  for (int i = 0; i < 20; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    EXPECT_EQ(test::address_in(ask(name)), test::true_address(query_for(name)));
  }
  EXPECT_EQ(upstream.asked_tcp(), 20u);
  EXPECT_EQ(upstream.connections(), 1u);
  EXPECT_TRUE(is_idle());
}

TEST_F(DnsForward, GivesAnAnswerThatIsTooLargeForUdpWholeOverTcp) {
  ScriptedUpstream upstream([](const Octets& query, bool tcp) {
    test::ReplyBuilder reply(query, tcp ? 0x8180 : 0x8380);
    for (std::uint32_t i = 0; tcp && i < 2000; ++i) reply.address(0x0a000000 + i);
    return std::vector<ScriptedReply>{{reply}};
  });
  start({upstream.endpoint()});
  const Octets cut = ask("big.example");
  ASSERT_GE(cut.size(), 12u);
  EXPECT_TRUE(cut[2] & 0x02);
  EXPECT_EQ(read16(&cut[6]), 0);
  Client tcp(endpoint(), SOCK_STREAM);
  ASSERT_TRUE(tcp.send(test::framed(query_for("big.example"))));
  const auto whole = tcp.receive_message();
  ASSERT_TRUE(whole);
  EXPECT_EQ(read16(&(*whole)[6]), 2000);
}

TEST_F(DnsForward, FallsBackForAServerThatChangesCaseAndForOneWithoutEdns) {
  ScriptedUpstream upstream([](const Octets& query, bool) {
    Octets lower = query;
    for (std::size_t i = 12; i < lower.size() - 4 && lower[i] != 0; ++i)
      if (lower[i] >= 'A' && lower[i] <= 'Z') lower[i] |= 0x20;
    if (read16(&query[10]) != 0)
      return std::vector<ScriptedReply>{{test::ReplyBuilder(lower, 0x8181)}};
    return std::vector<ScriptedReply>{{test::honest_reply(lower)}};
  });
  start({upstream.endpoint()});
  EXPECT_EQ(test::address_in(ask("some-longer-name.example")),
            test::true_address(query_for("some-longer-name.example")));
  EXPECT_EQ(test::address_in(ask("another-name.example")),
            test::true_address(query_for("another-name.example")));
}

TEST_F(DnsForward, SendsEachNameToItsZonesUpstream) {
  ScriptedUpstream corp(test::honest()), lab(test::honest());
  start({}, {{Name::parse("example").value(), {corp.endpoint()}},
             {Name::parse("lab.example").value(), {lab.endpoint()}}});
  EXPECT_NE(test::address_in(ask("a.example")), 0u);
  EXPECT_NE(test::address_in(ask("b.LAB.example")), 0u);
  EXPECT_NE(test::address_in(ask("lab.example")), 0u);
  EXPECT_EQ(rcode_of(ask("a.test")), kRefused);
  EXPECT_EQ(corp.asked_udp(), 2u);  // each with a probe for loops
  EXPECT_EQ(lab.asked_udp(), 3u);
}

TEST_F(DnsForward, AsksOnceForManyClientsWithTheSameQuestion) {
  ScriptedUpstream upstream(test::slow(200ms));
  start({upstream.endpoint()});
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint16_t i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<Client>(endpoint(), SOCK_DGRAM));
    ASSERT_TRUE(clients.back()->send(query_for("same.example", i)));
  }
  for (std::uint16_t i = 0; i < 50; ++i) {
    const Octets answer = clients[i]->receive();
    ASSERT_GE(answer.size(), 12u);
    EXPECT_EQ(read16(&answer[0]), i);
    EXPECT_EQ(test::address_in(answer), test::true_address(query_for("same.example")));
  }
  EXPECT_LE(upstream.asked_udp(), 3u);  // with the probe, and one more if this machine is slow
}

TEST_F(DnsForward, ServesTheOldAnswerWhenUpstreamsVanish) {
  auto upstream = std::make_unique<ScriptedUpstream>(test::honest(1));
  start({upstream->endpoint()});
  const std::uint32_t address = test::address_in(ask("stays.example"));
  EXPECT_EQ(address, test::true_address(query_for("stays.example")));
  upstream.reset();
  // Until the TTL is over the answer is the cached one; it never counts down to kStaleTtl.
  EXPECT_TRUE(test::eventually([&] {
    const Octets answer = Client(endpoint(), SOCK_DGRAM)
                              .ask(test::MessageBuilder(3).question("stays.example", Type::a));
    EXPECT_EQ(test::address_in(answer), address);
    return answer.size() >= 40 && read32(&answer[answer.size() - 10]) == forward::kStaleTtl;
  }));
  EXPECT_GE(server_->stats().forward->counts.stale, 1u);
}

TEST_F(DnsForward, LimitsWhatOneClientMayHaveInFlight) {
  ScriptedUpstream upstream(test::slow(1500ms));
  start({upstream.endpoint()});
  Client greedy(endpoint(), SOCK_DGRAM, 4 << 20);
  for (std::uint16_t i = 0; i < 300; ++i)
    ASSERT_TRUE(greedy.send(query_for("n" + std::to_string(i) + ".example", i)));
  int failures = 0, answers = 0;
  for (int i = 0; i < 300; ++i) {
    const Octets answer = greedy.receive();
    ASSERT_GE(answer.size(), 12u);
    ++(rcode_of(answer) == kServerFailure ? failures : answers);
  }
  EXPECT_EQ(failures, 300 - static_cast<int>(forward::kMaxWaitingPerClient));
  EXPECT_EQ(answers, static_cast<int>(forward::kMaxWaitingPerClient));
  EXPECT_TRUE(is_idle());
}

TEST_F(DnsForward, NoticesAnUpstreamThatIsItselfDirectlyOrByAWay) {
  // A relay hands everything on to our own server, so the loop is only seen by its probe.
  std::promise<base::Endpoint> ours;
  ScriptedUpstream relay([target = ours.get_future().share()](const Octets& query, bool) {
    Octets other = query;
    write16(other.data(), static_cast<std::uint16_t>(read16(query.data()) ^ 0x5555));
    Client(target.get(), SOCK_DGRAM).send(other);
    return std::vector<ScriptedReply>{};
  });
  ScriptedUpstream good(test::honest());
  start({relay.endpoint(), good.endpoint()});
  ours.set_value(endpoint());
  EXPECT_TRUE(test::eventually([&] { return server_->stats().forward->upstreams[0].aside; }));
  EXPECT_FALSE(server_->stats().forward->upstreams[1].aside);
  EXPECT_EQ(test::address_in(ask("a.example")), test::true_address(query_for("a.example")));
}

TEST_F(DnsForward, NoticesThatItAsksItself) {
  const std::uint16_t port = [] {
    Server first(test::loopback_config());
    EXPECT_TRUE(first.start());
    return first.listening().front().port;
  }();
  Config config = test::loopback_config();
  config.port = port;
  config.forward.upstreams = {{test::loopback4(), port}};
  server_ = std::make_unique<Server>(config);
  ASSERT_TRUE(server_->start());
  const auto before = Clock::now();
  EXPECT_EQ(rcode_of(ask("a.example")), kServerFailure);
  EXPECT_LT(Clock::now() - before, forward::kExchangeLimit);
  EXPECT_TRUE(server_->stats().forward->upstreams[0].aside);
}

TEST_F(DnsForward, SaysWhereAnAnswerCameFrom) {
  ScriptedUpstream upstream(test::honest());
  start({upstream.endpoint()});
  for (const auto from : {forward::Origin::From::upstream, forward::Origin::From::cache}) {
    std::promise<std::pair<Octets, forward::Origin>> done;
    ASSERT_TRUE(
        server_->look_up(query_for("a.example"), [&](Octets answer, const forward::Origin& origin) {
          done.set_value({answer, origin});
        }));
    const auto [answer, origin] = done.get_future().get();
    EXPECT_EQ(test::address_in(answer), test::true_address(query_for("a.example")));
    EXPECT_EQ(origin.from, from);
    EXPECT_EQ(origin.upstream, 0u);
  }
}

}  // namespace
}  // namespace viaduct::dns
