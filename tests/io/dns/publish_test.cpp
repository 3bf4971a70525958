#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/io/dns/client.h"

namespace viaduct::dns {
namespace {

using test::Client;
using test::Octets;

constexpr unsigned kAddresses = 8;

/// Every address of a revision carries the revision's number, so a mixed answer shows.
service::Snapshot revision(unsigned number) {
  service::Snapshot snapshot = test::web_snapshot();
  snapshot.revision = number;
  service::NamedVip web{snapshot.names[0].name, {}};
  for (unsigned i = 0; i < kAddresses; ++i)
    web.addresses.push_back(base::Address::v4(0x0b000000 + number * kAddresses + i));
  snapshot.names = {web};
  return snapshot;
}

/// The revision that an answer comes from; absent if it is torn or mixed.
std::optional<unsigned> revision_of(const Octets& answer) {
  const std::size_t body = test::web_query().size();
  if (answer.size() != body + 16 * kAddresses) return std::nullopt;
  unsigned seen = 0;
  const unsigned first = (read32(&answer[body + 12]) - 0x0b000000) / kAddresses;
  for (unsigned i = 0; i < kAddresses; ++i) {
    const unsigned value = read32(&answer[body + 16 * i + 12]) - 0x0b000000;
    if (value / kAddresses != first) return std::nullopt;
    seen |= 1u << value % kAddresses;
  }
  return seen == (1u << kAddresses) - 1 ? std::optional(first) : std::nullopt;
}

struct Asked {
  std::uint64_t answers = 0;
  std::uint64_t bad = 0;   ///< torn, mixed, missing, or older than one before
  std::uint64_t late = 0;  ///< older than what was published before the query left
};

Asked ask_until(const std::atomic<bool>& done, const std::atomic<unsigned>& published,
                const base::Endpoint& server, int type) {
  Asked asked;
  Client client(server, type);
  unsigned last = 0;
  for (std::uint16_t id = 0; !done.load(); ++id) {
    const unsigned at_least = published.load();
    Octets answer;
    if (type == SOCK_DGRAM) {
      answer = client.ask(test::web_query(id));
    } else if (client.send(test::framed(test::web_query(id)))) {
      answer = client.receive_message().value_or(Octets{});
    }
    const auto number = revision_of(answer);
    ++asked.answers;
    if (!number || *number < last) ++asked.bad;
    if (number && *number < at_least) ++asked.late;
    last = number.value_or(last);
  }
  return asked;
}

TEST(DnsPublish, ThousandTablesWhileQueriedNeverGiveATornMixedOrStaleAnswer) {
  Config config = test::loopback_config();
  config.workers = 2;
  Server server(config);
  ASSERT_TRUE(server.start());
  server.publish(test::table_of(revision(1)));
  std::atomic<bool> done = false;
  std::atomic<unsigned> published = 1;
  std::array<Asked, 4> asked;
  {
    std::vector<std::jthread> clients;
    for (std::size_t i = 0; i < asked.size(); ++i)
      clients.emplace_back([&, i] {
        asked[i] = ask_until(done, published, server.listening().front(),
                             i == 3 ? SOCK_STREAM : SOCK_DGRAM);
      });
    for (unsigned number = 2; number <= 1000; ++number) {
      server.publish(test::table_of(revision(number)));
      published = number;
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
    done = true;
  }
  for (const Asked& client : asked) {
    EXPECT_GT(client.answers, 50u);
    EXPECT_EQ(client.bad, 0u);
    EXPECT_EQ(client.late, 0u);
  }
}

}  // namespace
}  // namespace viaduct::dns
