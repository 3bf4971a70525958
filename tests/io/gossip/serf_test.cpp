// A real Serf agent (memberlist 0.2.2) understands what we write, and we what it writes: datagrams
// and streams, plain, compressed and encrypted.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>

#include "tests/io/gossip/pair.h"
#include "tests/io/gossip/serf.h"

namespace viaduct::gossip {
namespace {

using test::Peer;
using test::run_until;
using testing::HasSubstr;
using testing::Not;

const base::Endpoint kLoopback{base::Address::v4({127, 0, 0, 1}), 0};

struct Cluster {
  const char* name;
  std::vector<std::string> serf_options;
  WireOptions wire;
  std::vector<std::string> keys;

  friend void PrintTo(const Cluster& cluster, std::ostream* out) { *out << cluster.name; }
};

class WithSerf : public testing::TestWithParam<Cluster> {
 protected:
  void SetUp() override {
    if (test::has_serf()) return;
    const char* required = std::getenv("VIADUCT_REQUIRE_PRIVILEGED");
    if (required && std::string(required) == "1") FAIL() << "Debian's serf is not installed";
    GTEST_SKIP() << "Debian's serf is not installed";
  }

  /// A member that answers pings and push-pulls, and no more.
  struct Member : Peer {
    Member(boost::asio::io_context& io, const Cluster& cluster)
        : Peer(io, kLoopback, cluster.wire, cluster.keys) {
      answer = [this](const StreamMessage& message) -> std::optional<StreamMessage> {
        if (const Ping* ping = std::get_if<Ping>(&message)) return Ack{ping->sequence, {}};
        if (std::holds_alternative<PushPull>(message)) return state();
        return std::nullopt;
      };
    }

    PingSource source() const { return {endpoint(), "viaduct"}; }
    PushPull state() const {
      const NodeInfo info{"viaduct", endpoint(), {}, {}};
      return {true, {{std::make_shared<const NodeInfo>(info), 1, NodeState::alive}}, {}};
    }
    /// Answers what came since the last call.
    void work() {
      for (const Message& message : std::exchange(heard, {})) {
        all.push_back(message);
        const Ping* ping = std::get_if<Ping>(&message);
        if (!ping || ping->node != "viaduct") continue;
        ++pings;
        send(ping->source ? ping->source->endpoint : heard_from, {Ack{ping->sequence, {}}});
      }
    }
    template <class T>
    std::vector<T> of() const {
      std::vector<T> found;
      for (const Message& message : all)
        if (const T* one = std::get_if<T>(&message)) found.push_back(*one);
      return found;
    }

    std::vector<Message> all;
    std::size_t pings = 0;
  };

  bool until(const std::function<bool()>& holds) {
    return run_until(io_, [&] {
      us_.work();
      return holds();
    });
  }

  /// The agent's answer to one message; it may not listen yet.
  std::optional<StreamMessage> ask(const StreamMessage& question) {
    for (int i = 0; i < 100; ++i) {
      std::optional<base::Result<StreamMessage>> answer;
      us_.transport->exchange(serf_.endpoint(), question, [&](base::Result<StreamMessage> message) {
        answer = std::move(message);
        return std::nullopt;
      });
      if (!until([&] { return answer.has_value(); })) return std::nullopt;
      if (answer->has_value()) return **std::move(answer);
      const auto pause = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
      until([&] { return std::chrono::steady_clock::now() > pause; });
    }
    return std::nullopt;
  }

  /// What the agent thinks of a member.
  std::string state_of(const std::string& node) const {
    std::istringstream lines(serf_.run("members"));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name, where, state;
      words >> name >> where >> state;
      if (name == node) return state;
    }
    return "";
  }

  void expect_no_complaints() const {
    EXPECT_EQ(us_.stats().packet_drops.total() + us_.stats().stream_drops.total(), 0U);
    EXPECT_THAT(serf_.log(), Not(HasSubstr("[ERR]")));
  }

  boost::asio::io_context io_;
  const test::Serf serf_{"serf", GetParam().serf_options};
  Member us_{io_, GetParam()};
};

TEST_P(WithSerf, WeAreAMember) {
  // It takes our push-pull and answers with its own, ...
  const auto answer = ask(us_.state());
  ASSERT_TRUE(answer && std::holds_alternative<PushPull>(*answer)) << serf_.log();
  const PushPull& state = std::get<PushPull>(*answer);
  ASSERT_FALSE(state.members.empty());
  EXPECT_EQ(state.members[0].node->name, "serf");
  EXPECT_EQ(state.members[0].node->endpoint, serf_.endpoint());
  EXPECT_EQ(state.members[0].state, NodeState::alive);
  EXPECT_FALSE(state.user_state.empty());

  // ... probes us and believes our answers, ...
  EXPECT_TRUE(until([&] { return us_.pings >= 2; })) << serf_.log();
  EXPECT_EQ(state_of("viaduct"), "alive") << serf_.run("members");

  // ... and lets us leave.
  us_.send(serf_.endpoint(), {Dead{1, "viaduct", "viaduct"}}, true);
  EXPECT_TRUE(until([&] { return state_of("viaduct") != "alive"; }));
  expect_no_complaints();
}

TEST_P(WithSerf, ItAnswersOurPings) {
  ASSERT_TRUE(ask(us_.state()));
  const Ping ping{77, "serf", us_.source()};
  us_.send(serf_.endpoint(), {ping});
  EXPECT_TRUE(until([&] { return us_.of<Ack>().size() == 1; }));
  EXPECT_EQ(us_.of<Ack>().at(0).sequence, 77U);

  const auto answer = ask(ping);
  ASSERT_TRUE(answer && std::holds_alternative<Ack>(*answer));
  EXPECT_EQ(std::get<Ack>(*answer).sequence, 77U);

  // For others, too.
  us_.send(serf_.endpoint(), {IndirectPing{78, us_.endpoint(), "viaduct", true, us_.source()}});
  EXPECT_TRUE(until([&] { return us_.of<Ack>().size() == 2; }));
  EXPECT_EQ(us_.of<Ack>().at(1).sequence, 78U);
  const base::Endpoint nobody{us_.endpoint().address, 1};
  us_.send(serf_.endpoint(), {IndirectPing{79, nobody, "nobody", true, us_.source()}});
  EXPECT_TRUE(until([&] { return us_.of<Nack>().size() == 1; }));
  EXPECT_EQ(us_.of<Nack>().at(0).sequence, 79U);
  expect_no_complaints();
}

TEST_P(WithSerf, ItBelievesWhatWeGossip) {
  ASSERT_TRUE(ask(us_.state()));
  // A compound with a checksum: it answers the ping and defends itself.
  us_.send(serf_.endpoint(), {Ping{80, "serf", us_.source()}, Suspect{1, "serf", "viaduct"}}, true);
  EXPECT_TRUE(until([&] { return us_.of<Ack>().size() == 1; }));
  EXPECT_TRUE(until([&] {
    for (const Alive& alive : us_.of<Alive>())
      if (alive.node->name == "serf" && alive.incarnation >= 2) return true;
    return false;
  })) << serf_.log();

  // An event of Serf's own, long enough for compression: it is passed on.
  const std::string event = std::string(
                                "\x03\x84\xa2"
                                "CC\xc2\xa5"
                                "LTime\x09\xa4Name\xa2vd\xa7"
                                "Payload\xda\x01\x2c") +
                            std::string(300, 'x');
  const User user{{event.begin(), event.end()}};
  us_.send(serf_.endpoint(), {user}, true);
  EXPECT_TRUE(until([&] {
    const std::vector<User> heard = us_.of<User>();
    return std::find(heard.begin(), heard.end(), user) != heard.end();
  })) << serf_.log();
  expect_no_complaints();
}

const std::string kKey = "0123456789abcdef", kLongKey = "0123456789abcdef0123456789abcdef";
std::string encrypt(const std::string& key) { return "-encrypt=" + key_text(base::as_bytes(key)); }

INSTANTIATE_TEST_SUITE_P(
    Clusters, WithSerf,
    testing::Values(Cluster{"Plain", {"-disable-compression"}, {"", false}, {}},
                    Cluster{"Compressed", {}, {"", true}, {}},
                    Cluster{
                        "Encrypted", {"-disable-compression", encrypt(kKey)}, {"", false}, {kKey}},
                    Cluster{"EncryptedAndCompressed", {encrypt(kLongKey)}, {"", true}, {kLongKey}}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace viaduct::gossip
