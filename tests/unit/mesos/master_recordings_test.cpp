// What real masters said, through to the rows.

#include "base/io/file.h"
#include "tests/support/recordio.h"
#include "tests/unit/mesos/master_builder.h"

namespace viaduct::mesos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string recorded(const std::string& name) {
  return base::read_file(std::string(VIADUCT_TEST_DATA) + "/mesos/master/" + name, 1 << 20).value();
}

void play(Watched& watched, const std::string& name, std::size_t count, base::Time now = kStart) {
  const auto records = test::records(recorded(name));
  ASSERT_LE(count, records.size());
  for (std::size_t i = 0; i < count; i++) watched.record(records[i], now);
}

TEST(MasterRecordings, FailOverWithdrawsNothing) {
  Watched watched;
  play(watched, "first-leader.recordio", 11);
  EXPECT_THAT(watched.tasks(), ElementsAre("hc.1", "web.1"));
  const auto before = watched.rows.tasks();

  const auto records = test::records(recorded("second-leader.recordio"));
  MasterStep step = watched.record(records[0], kStart + 10s);
  EXPECT_EQ(step.kind, MasterStep::Kind::snapshot);
  EXPECT_EQ(step.heartbeat, std::chrono::milliseconds(15'000));
  EXPECT_FALSE(step.change);
  EXPECT_EQ(watched.state.counts().held, 2u);
  for (std::size_t i = 1; i < 7; i++) {
    EXPECT_FALSE(watched.record(records[i], kStart + 11s).change) << records[i].substr(0, 60);
  }
  EXPECT_EQ(watched.rows.tasks(), before);
  EXPECT_EQ(watched.state.counts().held, 0u);
  EXPECT_EQ(watched.state.next_tick(), std::nullopt);
}

TEST(MasterRecordings, AStreamASnapshotAndAPollSayTheSame) {
  Watched stream;
  play(stream, "first-leader.recordio", 11);
  play(stream, "second-leader.recordio", 10);
  EXPECT_THAT(stream.tasks(), ElementsAre("hc.1", "web.1", "web.2"));
  EXPECT_THAT(stream.rejected(), IsEmpty());
  Watched snapshot;
  snapshot.record(test::subscribed(recorded("web-2.GET_STATE.json")));
  EXPECT_EQ(stream.rows.tasks(), snapshot.rows.tasks());
  EXPECT_EQ(stream.rows.processes(), snapshot.rows.processes());
  Watched poll;
  poll.poll(recorded("web-2.state.json"));
  EXPECT_EQ(poll.state.named_leader(), endpoint("10.77.0.12:5050"));
  EXPECT_EQ(poll.rows.tasks(), snapshot.rows.tasks());
  EXPECT_THAT(poll.processes(),
              ElementsAre("framework dc4ca385-fad6-47ff-8372-fde0d99261a7-0000 marathon -:0",
                          "agent dc4ca385-fad6-47ff-8372-fde0d99261a7-S0 10.77.0.21:5051",
                          "master 10.77.0.12:5050 10.77.0.12:5050 #0 leads"));
}

TEST(MasterRecordings, TheEndLeavesTheAgentAlone) {
  Watched watched;
  play(watched, "second-leader.recordio", 16);
  EXPECT_THAT(watched.tasks(), IsEmpty());
  EXPECT_THAT(watched.processes(),
              ElementsAre("agent dc4ca385-fad6-47ff-8372-fde0d99261a7-S0 10.77.0.21:5051"));
}

TEST(MasterRecordings, AHostWithIpv6AndAHostNameThatDoesNotResolve) {
  Watched watched;
  play(watched, "host-with-ipv6.recordio", 12);
  ASSERT_THAT(watched.tasks(), ElementsAre("c.1", "p.1", "web.1"));
  const service::TaskRow& cni = watched.rows.tasks()[0];
  EXPECT_EQ(cni.agent, std::vector{addr("10.77.0.21")});
  EXPECT_EQ(cni.addresses, (std::vector<service::TaskAddress>{
                               {service::AddressSource::netinfo, addr("10.78.1.2")},
                               {service::AddressSource::netinfo, addr("fd78:1::2")}}));
  EXPECT_EQ(watched.rows.tasks()[2].ports, std::vector<std::uint16_t>{20001});
  for (const char* name : {"host-with-ipv6.GET_STATE.json", "host-with-ipv6.state.json"}) {
    Watched fresh;
    if (std::string(name).find("GET_STATE") != std::string::npos)
      fresh.record(test::subscribed(recorded(name)));
    else
      fresh.poll(recorded(name));
    EXPECT_EQ(watched.rows.tasks(), fresh.rows.tasks()) << name;
  }
  EXPECT_THAT(watched.state.hosts(), ElementsAre("sched.example"));
  watched.summary(recorded("host-with-ipv6.state-summary.json"));  // it speaks HTTP: no pid
  watched.resolve("sched.example", {addr("203.0.113.9")});
  EXPECT_EQ(watched.processes()[0],
            "framework 33899f47-212f-4610-bdd7-ecdba22358a6-0000 marathon 203.0.113.9:0");
}

TEST(MasterRecordings, WithAByteLostGiveAStateOrAnError) {
  constexpr std::size_t kStride = 7;
  for (const char* name : {"web-2.state.json", "web-2.GET_STATE.json"}) {
    const std::string whole = recorded(name);
    const bool poll = std::string(name) == "web-2.state.json";
    std::size_t errors = 0;
    for (std::size_t i = 0; i < whole.size(); i += kStride) {
      std::string text = whole;
      text.erase(i, 1);
      MasterState state;
      const auto step =
          poll ? state.on_state(text, kStart) : state.on_record(test::subscribed(text), kStart);
      errors += step ? 0 : 1;
      if (step) continue;
      EXPECT_TRUE(state.all().tasks_added.empty());
    }
    EXPECT_GT(errors, 0u);
    EXPECT_LT(errors, whole.size() / kStride);
  }
}

}  // namespace
}  // namespace viaduct::mesos
