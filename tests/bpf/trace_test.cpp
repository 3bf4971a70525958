// SPDX-License-Identifier: Apache-2.0
// What a running trace is told of packets and sockets, and that nothing is without one.
#include <gmock/gmock.h>
#include <unistd.h>

#include <string>

#include "tests/bpf/events.h"
#include "tests/bpf/sock_lab.h"
#include "tests/bpf/tc_families.h"
#include "tests/support/own_pid.h"

namespace viaduct::bpftest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TcTrace : public TcFamilies {};

INSTANTIATE_TEST_SUITE_P(Families, TcTrace, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(TcTrace, ShowsANewFlowOnceWithItsBackend) {
  const ServiceIds ids = maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  Events events(maps());
  events.trace();
  request(syn(f().vip));
  request(data(f().vip));
  const auto seen = events.take_all();
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(text_of(seen[0]), "request " + std::to_string(VD_FORWARDED) + " " + f().client +
                                  " 40000 > " + f().vip + " 80 = " + f().backend + " 8080");
  EXPECT_EQ(seen[0].proto, IPPROTO_TCP);
  EXPECT_EQ(seen[0].backend_id, ids.backends[0]);
  EXPECT_EQ(seen[0].pid, 0u);
  EXPECT_NE(seen[0].time_ns, 0u);
  request(ip(f().client, f().backend) / tcp({.dport = 8080}));
  EXPECT_THAT(events.take_all(), IsEmpty()) << "no VIP's packet";
}

TEST_P(TcTrace, ShowsEveryRefusal) {
  const ServiceSpec spec{f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}};
  const ServiceIds ids = maps().add(spec);
  maps().add({f().other_vip, 80, IPPROTO_TCP, {}});
  Events events(maps());
  request(syn(f().vip));
  events.trace();
  maps().remove_backend(ids.backends[0]);
  request(data(f().vip));
  request(syn(f().other_vip));
  const auto seen = events.take_all();
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].reason, VD_BACKEND_GONE);
  EXPECT_EQ(seen[1].reason, VD_NO_BACKEND);
  EXPECT_EQ(text(seen[1].client), f().client);
  EXPECT_EQ(seen[1].backend_id, 0u);
}

TEST_P(TcTrace, IsToldNothingWhenNobodyTracesAndAfterItsTime) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  Events events(maps());
  request(syn(f().vip, 80, 40000));
  vd_trace over{};
  over.until_s = Events::now_s() - 2;
  events.write(over);
  request(syn(f().vip, 80, 40010));
  EXPECT_THAT(events.take_all(), IsEmpty());
  EXPECT_EQ(events.read().matched, 0u);
}

TEST_P(TcTrace, IsToldOfTheVipThatItAsksForOnly) {
  for (const char* vip : {f().vip, f().other_vip})
    for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{81}})
      maps().add({vip, port, IPPROTO_TCP, {{f().backend, 8080}}});
  Events events(maps());
  std::uint16_t sport = 40000;
  const auto count = [&](const vd_trace& wanted) {
    events.trace(wanted);
    for (const char* vip : {f().vip, f().other_vip})
      for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{81}})
        request(syn(vip, port, sport += 10));
    return events.take_all().size();
  };
  vd_trace wanted{};
  EXPECT_EQ(count(wanted), 4u);
  wanted.vip = addr(f().vip);
  EXPECT_EQ(count(wanted), 2u);
  wanted.port = htons(80);
  EXPECT_EQ(count(wanted), 1u);
}

TEST_P(TcTrace, SamplesAndCountsWhatItLeavesOut) {
  maps().add({f().vip, 80, IPPROTO_TCP, {}});
  Events events(maps());
  vd_trace wanted{};
  wanted.sample_every = 10;
  events.trace(wanted);
  for (int i = 0; i < 95; ++i) request(syn(f().vip));
  EXPECT_THAT(events.take_all(), SizeIs(10));
  EXPECT_EQ(events.read().matched, 95u);
  EXPECT_EQ(events.read().lost, 0u);
}

TEST_P(TcTrace, CountsWhatHasNoRoom) {
  constexpr int kEvents = 300;  // the test's ring buffer has room for fewer
  maps().add({f().vip, 80, IPPROTO_TCP, {}});
  Events events(maps());
  events.trace();
  for (int i = 0; i < kEvents; ++i) request(syn(f().vip));
  const auto seen = events.take_all();
  EXPECT_GT(events.read().lost, 0u);
  EXPECT_EQ(seen.size() + events.read().lost, static_cast<std::size_t>(kEvents));
}

class SockTrace : public SockLb {};

TEST_F(SockTrace, ShowsWhoConnectedAndWhoWasRefused) {
  Server server("192.0.2.1", SOCK_STREAM);
  maps().add({"11.0.0.1", 80, IPPROTO_TCP, {server.spec()}});
  maps().add({"11.0.0.2", 80, IPPROTO_TCP, {}});
  Events events(maps());
  events.trace();
  Socket taken(AF_INET, SOCK_STREAM), refused(AF_INET6, SOCK_STREAM);
  ASSERT_EQ(taken.bind(SockAddr("192.0.2.2", 40123)), 0);
  ASSERT_EQ(taken.connect(SockAddr("11.0.0.1", 80)), 0);
  EXPECT_EQ(refused.connect(SockAddr("::ffff:11.0.0.2", 80)), ECONNREFUSED);
  const auto seen = events.take_all();
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(text_of(seen[0]), "sock " + std::to_string(VD_FORWARDED) +
                                  " 192.0.2.2 40123 > 11.0.0.1 80 = " + server.text());
  EXPECT_EQ(text_of(seen[1]),
            "sock " + std::to_string(VD_NO_BACKEND) + " :: 0 > 11.0.0.2 80 = :: 0");
  for (const vd_event& event : seen) {
    EXPECT_GT(event.pid, 0U);
    EXPECT_EQ(event.pid, test::own_pid().value_or(event.pid));
    EXPECT_EQ(std::string(event.comm), std::string("bpf_programs").substr(0, VD_COMM_BYTES - 1));
  }
}

TEST_F(SockTrace, ShowsADatagramsBackendOnce) {
  Server server("2001:db8::1", SOCK_DGRAM);
  maps().add({"fd01:c::1", 53, IPPROTO_UDP, {server.spec()}});
  Events events(maps());
  events.trace();
  Socket client(AF_INET6, SOCK_DGRAM);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(client.send_to("hello", SockAddr("fd01:c::1", 53)), 0);
  const auto seen = events.take_all();
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(text(seen[0].vip), "fd01:c::1");
  EXPECT_EQ(text(seen[0].backend), "2001:db8::1");
}

}  // namespace
}  // namespace viaduct::bpftest
