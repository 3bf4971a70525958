#include "gossip/own_rows.h"

#include <gmock/gmock.h>

#include "gossip/table_limits.h"
#include "tests/unit/gossip/rows.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;
using service::BackendRow;
using service::VipName;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr base::Time kStart{};

service::SourceChange added(std::vector<BackendRow> rows) {
  service::SourceChange change;
  change.added = std::move(rows);
  return change;
}
service::SourceChange removed(std::vector<BackendRow> rows) {
  service::SourceChange change;
  change.removed = std::move(rows);
  return change;
}
service::NodeChange speaks_of(const char* name, service::Tick tick) {
  return {{}, {}, {}, {{name, tick}}};
}

/// What the changes set, decoded; a withdrawn row counts as one of no kind.
std::vector<DecodedRow> decoded(const std::vector<RowChange>& changes) {
  std::vector<DecodedRow> rows;
  for (const RowChange& change : changes)
    rows.push_back(change.value ? *decode_row(WireRow(change.key, *change.value), {})
                                : DecodedRow(UnknownRow{}));
  return rows;
}

TEST(OwnRows, PublishesWhatChangesAndNothingTwice) {
  OwnRows own("a");
  const BackendRow row = backend_row(test::address("11.0.0.1"), 80, "192.0.2.1:80");
  own.apply("files", added({row}));
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(row)));
  EXPECT_THAT(own.take(kStart), IsEmpty());
  BackendRow heavier = row;
  heavier.weight = 5;
  service::SourceChange change = removed({row});
  change.added = {heavier};
  own.apply("files", change);
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(heavier)));
  own.apply("files", removed({heavier}));
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(UnknownRow{})));
}

TEST(OwnRows, SettlesRowsOfOneEndpointAndPoliciesAsTheMergeDoes) {
  OwnRows own("a");
  BackendRow light = backend_row(test::address("11.0.0.1"), 80, "192.0.2.1:80");
  light.policy.pick = service::PickRule::maglev;
  BackendRow heavy = light;
  heavy.weight = 5;
  heavy.policy.pick = service::PickRule::random;
  BackendRow other = backend_row(test::address("11.0.0.1"), 80, "192.0.2.2:80");
  own.apply("mesos", added({heavy, other}));
  own.apply("files", added({light}));
  BackendRow winner = heavy;
  winner.policy = other.policy = light.policy;  // "files" comes before "mesos"
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(winner), DecodedRow(other)));
}

TEST(OwnRows, RowsThatNoOtherNodeCanUseStayHereWithAReason) {
  OwnRows own("a");
  own.apply("files", added({backend_row(test::address("11.0.0.1"), 80, "127.0.0.1:80"),
                            backend_row(test::address("11.0.0.1"), 80, "192.0.2.1:80")}));
  EXPECT_THAT(own.take(kStart), SizeIs(1));
  ASSERT_THAT(own.rejected(), SizeIs(1));
  EXPECT_THAT(own.rejected()[0].reason, HasSubstr("loopback"));
}

TEST(OwnRows, PublishesFactsWhenTheyChange) {
  OwnRows own("a");
  NodeFacts facts;
  facts.version = "1";
  own.set_facts(facts);
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(facts)));
  own.set_facts(facts);
  EXPECT_THAT(own.take(kStart), IsEmpty());
}

TEST(OwnRows, VipsThatThereIsNoRoomForWaitUntilThereIs) {
  OwnRows own("a");
  std::vector<BackendRow> rows;
  for (std::size_t i = 0; i <= kMaxVipsPerOwner; i++)
    rows.push_back(backend_row(base::Address::v4(0x0b000000 + static_cast<std::uint32_t>(i)), 80,
                               "192.0.2.1:80"));
  own.apply("files", added(rows));
  EXPECT_THAT(own.take(kStart), SizeIs(kMaxVipsPerOwner));
  ASSERT_THAT(own.rejected(), SizeIs(1));
  EXPECT_THAT(own.rejected()[0].reason, HasSubstr("more than it may publish"));
  own.apply("files", removed({rows[0]}));
  EXPECT_THAT(own.take(kStart), SizeIs(2)) << "one goes, one comes";
  EXPECT_THAT(own.rejected(), IsEmpty());
}

service::SourceChange tasks(std::vector<service::TaskRow> removed,
                            std::vector<service::TaskRow> added) {
  service::SourceChange change;
  change.tasks_removed = std::move(removed);
  change.tasks_added = std::move(added);
  return change;
}

TEST(OwnTasks, PublishesTasksOnceAndTheFirstSourceOfTwo) {
  OwnRows own("a");
  service::TaskRow one = task_row("web", "web.1");
  service::TaskRow other = one;
  other.host_port = true;
  own.apply("b", tasks({}, {other}));
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(other)));
  own.apply("a", tasks({}, {one}));
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(one)));
  EXPECT_THAT(own.take(kStart), IsEmpty());
  own.apply("a", tasks({one}, {}));
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(other)));
  own.apply("b", tasks({other}, {}));
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(UnknownRow{})));
}

TEST(OwnTasks, OneThatIsTooLargeStaysHereWithAReason) {
  OwnRows own("a");
  service::TaskRow large = task_row("web", "web.1");
  large.discovery_ports.assign(100, {80, std::string(100, 'p'), "tcp"});
  own.apply("mesos", tasks({}, {large, task_row("db", "db.1")}));
  EXPECT_THAT(own.take(kStart), SizeIs(1));
  ASSERT_THAT(own.rejected(), SizeIs(1));
  EXPECT_THAT(own.rejected()[0].reason, HasSubstr("at most 4096 are told"));
}

TEST(OwnTasks, ThoseThatThereIsNoRoomForWaitUntilThereIs) {
  OwnRows own("a");
  std::vector<service::TaskRow> many;
  for (std::size_t i = 0; i <= kTaskLimits.rows; i++)
    many.push_back(task_row("web", std::to_string(i).c_str()));
  own.apply("mesos", tasks({}, many));
  EXPECT_THAT(own.take(kStart), SizeIs(kTaskLimits.rows));
  ASSERT_THAT(own.rejected(), SizeIs(1));
  EXPECT_THAT(own.rejected()[0].reason, HasSubstr("more than it may publish"));
  own.apply("mesos", tasks({many[0]}, {}));
  EXPECT_THAT(own.take(kStart), SizeIs(2)) << "one goes, one comes";
  EXPECT_THAT(own.rejected(), IsEmpty());
}

TEST(OwnProcesses, ArePublishedOnceAndTheFirstSourceOfTwoCounts) {
  OwnRows own("a");
  service::MesosRow one = process_row(service::MesosRole::master, "192.0.2.11:5050");
  service::MesosRow other = one;
  other.leader = true;
  service::SourceChange change;
  change.processes_added = {other};
  own.apply("b", change);
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(other)));
  change.processes_added = {one};
  own.apply("a", change);
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(one)));
  change.processes_added.clear();
  change.processes_removed = {one};
  own.apply("a", change);
  EXPECT_THAT(decoded(own.take(kStart)), ElementsAre(DecodedRow(other)));
}

class Names : public testing::Test {
 protected:
  /// The ticks that are published now.
  std::map<std::string, service::Tick> ticks(base::Time now = kStart) {
    for (const RowChange& change : own.take(now)) {
      if (change.key[0] != 3) continue;
      if (!change.value)
        published.erase(change.key.substr(1));
      else
        published[change.key.substr(1)] =
            std::get<NameRow>(*decode_row(WireRow(change.key, *change.value), {})).tick;
    }
    return published;
  }
  static BackendRow named(const char* name, std::uint16_t port = 80) {
    return backend_row(VipName{name}, port, "192.0.2.1:80");
  }
  using Ticks = std::map<std::string, service::Tick>;

  OwnRows own{"a"};
  Ticks published;
};

TEST_F(Names, ANewNameIsYoungerThanAllThatWereSeen) {
  own.on_node(speaks_of("x.y", 41));
  own.apply("files", added({named("a.b")}));
  EXPECT_EQ(ticks(), (Ticks{{"a.b", 42}}));
  own.apply("files", added({named("c.d")}));
  EXPECT_EQ(ticks(), (Ticks{{"a.b", 42}, {"c.d", 43}}));
}

TEST_F(Names, ANameThatOthersHaveKeepsTheSmallestOfTheirTicks) {
  own.on_node(speaks_of("a.b", 7));
  own.on_node(speaks_of("a.b", 9));
  own.apply("files", added({named("a.b")}));
  EXPECT_EQ(ticks(), (Ticks{{"a.b", 7}}));
  own.on_node(speaks_of("a.b", 3));
  EXPECT_EQ(ticks(), (Ticks{{"a.b", 3}}));
  own.on_node(speaks_of("a.b", 5));
  EXPECT_EQ(ticks(), (Ticks{{"a.b", 3}}));
}

TEST_F(Names, ANameWithoutBackendsStaysTenMinutes) {
  own.apply("files", added({named("a.b"), named("a.b", 443)}));
  EXPECT_EQ(ticks(), (Ticks{{"a.b", 1}}));
  own.apply("files", removed({named("a.b"), named("a.b", 443)}));
  EXPECT_EQ(ticks(kStart + 1s), (Ticks{{"a.b", 1}}));
  own.on_node(speaks_of("x.y", 99));
  own.apply("files", added({named("a.b")}));
  EXPECT_EQ(ticks(kStart + 9min), (Ticks{{"a.b", 1}})) << "a redeploy keeps its address";
  own.apply("files", removed({named("a.b")}));
  EXPECT_EQ(ticks(kStart + 10min), (Ticks{{"a.b", 1}}));
  EXPECT_EQ(ticks(kStart + 19min), (Ticks{{"a.b", 1}}));
  EXPECT_EQ(ticks(kStart + 20min), Ticks{});
  own.apply("files", added({named("a.b")}));
  EXPECT_EQ(ticks(kStart + 21min), (Ticks{{"a.b", 100}}));
}

}  // namespace
}  // namespace viaduct::gossip
