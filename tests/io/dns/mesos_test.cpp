// Names of Mesos' processes and of the server itself through real sockets, over UDP and TCP.

#include <gmock/gmock.h>

#include <utility>

#include "tests/io/dns/client.h"
#include "tests/unit/dns/task_rows.h"

namespace viaduct::dns {
namespace {

using test::Client;
using test::Octets;

struct Counts {
  unsigned rcode = 0, answers = 0, authority = 0, additional = 0;
  bool operator==(const Counts&) const = default;
};

Counts counts_of(const Octets& answer) {
  if (answer.size() < kHeaderOctets) return {};
  return {answer[3] & 15u, read16(&answer[6]), read16(&answer[8]), read16(&answer[10])};
}

class DnsMesos : public testing::Test {
 protected:
  void SetUp() override {
    options_.servers = {test::loopback4()};
    const auto started = server_.start();
    ASSERT_TRUE(started) << started.error().message();
    tcp_.emplace(server_.listening().front(), SOCK_STREAM);
    udp_.emplace(server_.listening().front(), SOCK_DGRAM);
  }

  /// The same octets over both.
  Octets ask(std::string_view name, Type type) {
    const Octets query = test::MessageBuilder(8).question(name, type);
    const Octets answer = udp_->ask(query);
    EXPECT_TRUE(tcp_->send(test::framed(query)));
    EXPECT_EQ(tcp_->receive_message(), answer) << name;
    return answer;
  }

  ZoneOptions options_ = master_mode();
  Server server_{test::loopback_config()};
  std::optional<Client> tcp_, udp_;
};

TEST_F(DnsMesos, AnswersWhatTheMasterSaysFromTheMomentThatItHasSpoken) {
  Zones zones(options_);
  service::Snapshot snapshot = running({});
  zones.update(snapshot);
  server_.publish(zones.table());
  EXPECT_EQ(counts_of(ask("leader.mesos", Type::a)), (Counts{2, 0, 0, 0})) << "not known yet";
  service::TaskRow web = task("web");
  web.ports = {31000};
  snapshot.master =
      of_master({web},
                {framework("Marathon.User", {address("192.0.2.3")}, 8080),
                 agent("S12", {address("192.0.2.21")}),
                 agent("S13", {address("192.0.2.22"), address("2001:db8::22")}),
                 master(0, address("192.0.2.1"), false), master(1, address("192.0.2.2"), true)})
          .master;
  zones.update(snapshot);
  server_.publish(zones.table());
  const std::pair<const char*, std::pair<Type, Counts>> wanted[] = {
      {"marathon.user.mesos", {Type::a, {0, 1, 0, 0}}},
      {"_framework._tcp.Marathon.User.mesos", {Type::srv, {0, 1, 0, 1}}},
      {"slave.mesos", {Type::a, {0, 2, 0, 0}}},
      {"slave.mesos", {Type::aaaa, {0, 1, 0, 0}}},
      {"_slave._tcp.mesos", {Type::srv, {0, 1, 0, 2}}},
      {"leader.mesos", {Type::a, {0, 1, 0, 0}}},
      {"leader.*.mesos", {Type::a, {0, 1, 0, 0}}},
      {"master.mesos", {Type::a, {0, 2, 0, 0}}},
      {"master1.mesos", {Type::a, {0, 1, 0, 0}}},
      {"master2.mesos", {Type::a, {3, 0, 1, 0}}},
      {"_leader._udp.mesos", {Type::srv, {0, 1, 0, 1}}},
      {"ns1.mesos", {Type::a, {0, 1, 0, 0}}},
      {"mesos", {Type::ns, {0, 1, 0, 0}}},
      {"mesos", {Type::soa, {0, 1, 0, 0}}},
      {"marathon.mesos", {Type::a, {0, 0, 1, 0}}},
      {"_web._tcp.marathon.slave.mesos", {Type::srv, {0, 1, 0, 1}}},
      {"nope.mesos", {Type::srv, {3, 0, 1, 0}}},
      {"_slave._tcp.mesos.thisdcos.global", {Type::srv, {0, 1, 0, 2}}},
  };
  for (const auto& [name, asked] : wanted)
    EXPECT_EQ(counts_of(ask(name, asked.first)), asked.second)
        << name << " type " << static_cast<unsigned>(asked.first);
  EXPECT_EQ(read32(&ask("leader.mesos", Type::a)[12 + 14 + 4 + 12]), 0xc0000202u);
  snapshot.master = of_master({}, {master(0, address("192.0.2.1"), true)}).master;
  zones.update(snapshot);
  server_.publish(zones.table());
  EXPECT_EQ(read32(&ask("leader.mesos", Type::a)[12 + 14 + 4 + 12]), 0xc0000201u);
  EXPECT_EQ(counts_of(ask("slave.mesos", Type::a)), (Counts{3, 0, 1, 0}));
}

}  // namespace
}  // namespace viaduct::dns
