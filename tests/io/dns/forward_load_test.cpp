// 100,000 queries through a dead, a slow, a lying, a garbling and a truncating upstream.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>

#include "tests/io/dns/scripted_upstream.h"

namespace viaduct::dns {
namespace {

using namespace std::chrono_literals;
using test::Client;
using test::Octets;
using test::ScriptedUpstream;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kQueries = 100'000;
constexpr std::size_t kNames = 20'000;  // so most answers come from the cache
constexpr std::size_t kWindow = 128;    // queries in flight

std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

/// Keeps a window of queries in flight, each under an id of its own.
class Load {
 public:
  explicit Load(const base::Endpoint& server) : client_(server, SOCK_DGRAM, 4 << 20) {}

  void run() {
    for (std::size_t i = 0; i < kWindow; ++i) send(static_cast<std::uint16_t>(i));
    while (answered < kQueries) {
      const Octets answer = client_.receive();
      if (answer.size() < kHeaderOctets) break;  // five seconds without any
      const std::uint16_t id = read16(answer.data());
      ASSERT_LT(id, kWindow) << "an id that nobody sent";
      take(answer, flights_[id]);
      if (sent_ < kQueries) send(id);
    }
    std::sort(times.begin(), times.end());
  }

  double milliseconds(double part) const {
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
  }

  std::size_t answered = 0, wrong = 0, failed = 0;
  std::vector<double> times;

 private:
  struct Flight {
    Octets query;
    Clock::time_point since;
  };

  void send(std::uint16_t id) {
    ++sent_;
    const std::string name = "host" + std::to_string(random_() % kNames) + ".corp.example";
    flights_[id] = {test::MessageBuilder(id).question(name, Type::a), Clock::now()};
    ASSERT_TRUE(client_.send(flights_[id].query));
  }

  void take(const Octets& answer, const Flight& flight) {
    ++answered;
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - flight.since).count());
    if ((answer[3] & 0x0f) != 0)
      ++failed;
    else if (test::address_in(answer) != test::true_address(flight.query) ||
             !std::equal(flight.query.begin() + 12, flight.query.end(), answer.begin() + 12))
      ++wrong;
  }

  Client client_;
  std::array<Flight, kWindow> flights_;
  std::size_t sent_ = 0;
  std::mt19937 random_{1};
};

TEST(DnsForwardLoad, EveryAnswerIsRightAndNothingLeaksWithFourBadUpstreamsOfFive) {
  ScriptedUpstream dead(test::dead()), lying(test::lying()), garbage(test::garbage()),
      slow(test::slow(60ms)), truncating(test::truncating());
  Config config = test::loopback_config();
  for (const ScriptedUpstream* upstream : {&dead, &lying, &garbage, &slow, &truncating})
    config.forward.upstreams.push_back(upstream->endpoint());
  Server server(config);
  ASSERT_TRUE(server.start());
  Load load(server.listening().front());
  const std::size_t files_before = open_files();
  const auto before = Clock::now();
  load.run();
  const double seconds = std::chrono::duration<double>(Clock::now() - before).count();
  EXPECT_EQ(load.answered, kQueries);
  EXPECT_EQ(load.wrong, 0u);
  EXPECT_EQ(load.failed, 0u);
  const std::chrono::duration<double, std::milli> limit = forward::kLookupLimit;
  EXPECT_LT(load.milliseconds(1), limit.count()) << "nobody waited until it was given up";

  EXPECT_TRUE(test::eventually([&] {
    const forward::Stats stats = *server.stats().forward;
    return stats.waiting == 0 && stats.lookups == 0 && stats.exchanges == 0;
  }));
  EXPECT_LE(open_files(), files_before + 2);  // a TCP connection to the truncating one, both ends
  const forward::Stats stats = *server.stats().forward;
  std::printf(
      "%zu queries in %.1f s: p50 %.2f ms, p99 %.2f ms, longest %.0f ms; %zu wrong, %zu "
      "failed; %llu from the cache\n",
      load.answered, seconds, load.milliseconds(0.5), load.milliseconds(0.99), load.milliseconds(1),
      load.wrong, load.failed, static_cast<unsigned long long>(stats.counts.from_cache));
  const char* names[] = {"dead", "lying", "garbage", "slow", "truncating"};
  for (std::size_t i = 0; i < stats.upstreams.size(); ++i) {
    const auto& counts = stats.upstreams[i].counts;
    std::printf("  %-10s sent %llu, answered %llu, timed out %llu, bad %llu, truncated %llu\n",
                names[i], static_cast<unsigned long long>(counts.sent),
                static_cast<unsigned long long>(counts.answered),
                static_cast<unsigned long long>(counts.timed_out),
                static_cast<unsigned long long>(counts.bad_replies),
                static_cast<unsigned long long>(counts.truncated));
  }
}

}  // namespace
}  // namespace viaduct::dns
