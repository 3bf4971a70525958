// How processes of Mesos, and what the leading master says, come into a snapshot.

#include "service/process_merge.h"

#include <gmock/gmock.h>

#include "tests/unit/service/merger_sources.h"

namespace viaduct::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SourceParts processes(std::vector<MesosRow> rows) {
  return SourceRows{{}, {}, {}, {}, std::move(rows)};
}

std::vector<std::string> shown(const MesosProcesses& all) {
  std::vector<std::string> lines;
  for (const auto& one : all)
    lines.push_back(one->node + " " + std::string(to_string(one->row.role)) + " " + one->row.id);
  return lines;
}

TEST(ProcessMerge, HasWhatEachNodeSays) {
  Sources sources(options());
  const MesosRow scheduler = process(MesosRole::framework, "f");
  sources.replace("mesos-master", processes({scheduler, process(MesosRole::master, "m")}));
  sources.publish("node2", {}, {}, {}, {scheduler, process(MesosRole::agent, "a")});
  EXPECT_THAT(
      shown(sources.merged()->processes),
      ElementsAre("node1 framework f", "node2 framework f", "node2 agent a", "node1 master m"));
  sources.replace("mesos-master", processes({}));
  sources.forget("node2");
  EXPECT_THAT(shown(sources.merged()->processes), IsEmpty());
}

TEST(ProcessMerge, ADeadNodesWordCountsOnlyWhereItIsTheLastOne) {
  Sources sources(options());
  const MesosRow scheduler = process(MesosRole::framework, "f");
  sources.publish("node2", {}, {}, {}, {scheduler, process(MesosRole::agent, "a")});
  sources.mask("node2", Mask::suspect);
  EXPECT_THAT(shown(sources.merged()->processes),
              ElementsAre("node2 framework f", "node2 agent a"));
  sources.mask("node2", Mask::dead);
  EXPECT_THAT(shown(sources.merged()->processes), ElementsAre("node2 framework f"));
  sources.publish("node3", {}, {}, {}, {scheduler});
  EXPECT_THAT(shown(sources.merged()->processes), ElementsAre("node3 framework f"));
  sources.mask("node2", Mask::none);
  EXPECT_THAT(shown(sources.merged()->processes),
              ElementsAre("node2 framework f", "node3 framework f", "node2 agent a"));
}

TEST(ProcessMerge, ADeadNodesLeaderLeadsNoMore) {
  Sources sources(options());
  MesosRow leader = process(MesosRole::master, "192.0.2.11:5050");
  leader.leader = true;
  sources.publish("node2", {}, {}, {}, {leader});
  EXPECT_TRUE((*sources.merged()->processes.begin())->row.leader);
  sources.mask("node2", Mask::dead);
  ASSERT_EQ(sources.merged()->processes.size(), 1u);
  EXPECT_FALSE((*sources.merged()->processes.begin())->row.leader);
}

TEST(ProcessMerge, WhatTheMasterSaysStandsApartFromWhatNodesSay) {
  Sources sources(options());
  sources.publish("node2", {}, {}, {task("web", "web.1")});
  EXPECT_FALSE(sources.merged()->master.known);
  MasterChange change;
  change.tasks_added = {task("web", "web.1"), task("db", "db.1")};
  change.added = {process(MesosRole::agent, "a")};
  sources.merger_.apply_master(change, true);
  auto snapshot = sources.merger_.snapshot(true);
  EXPECT_TRUE(snapshot->master.known);
  EXPECT_EQ(snapshot->master.tasks.size(), 2u);
  EXPECT_EQ(snapshot->tasks.size(), 1u);
  EXPECT_THAT(shown(snapshot->master.processes), ElementsAre(" agent a"));
  EXPECT_THAT(shown(snapshot->processes), IsEmpty());
  MasterChange gone;
  gone.tasks_removed = {task("web", "web.1")};
  gone.removed = change.added;
  sources.merger_.apply_master(gone, true);
  const auto next = sources.merger_.snapshot(true);
  EXPECT_GT(next->revision, snapshot->revision);
  EXPECT_EQ(next->master.tasks.size(), 1u);
  EXPECT_THAT(shown(next->master.processes), IsEmpty());
  sources.merger_.apply_master({}, true);
  EXPECT_EQ(sources.merger_.snapshot(true), next) << "nothing changed";
}

TEST(ProcessMerge, TwoFrameworksOfOneNameMayNumberTheirTasksAlike) {
  Sources sources(options());
  MasterChange change;
  change.tasks_added = {task("etl", "0"), task("etl", "0")};
  change.tasks_added[1].agent_id = "another";
  sources.merger_.apply_master(change, true);
  EXPECT_EQ(sources.merger_.snapshot(true)->master.tasks.size(), 2u);
}

TEST(MasterChange, InPiecesWhatComesIsBeforeWhatGoes) {
  MasterChange change;
  for (int i = 0; i < 25; i++) {
    change.tasks_removed.push_back(task("old", std::to_string(i).c_str()));
    change.tasks_added.push_back(task("new", std::to_string(i).c_str()));
  }
  change.added = {process(MesosRole::agent, "a")};
  change.removed = {process(MesosRole::agent, "b")};
  EXPECT_EQ(in_pieces(change, 52).size(), 1u);
  const auto pieces = in_pieces(change, 10);
  ASSERT_EQ(pieces.size(), 6u);
  MasterChange all;
  for (const MasterChange& piece : pieces) {
    EXPECT_LE(piece.size(), 10u);
    EXPECT_TRUE(piece.tasks_added.empty() || all.tasks_removed.empty());
    all.tasks_added.insert(all.tasks_added.end(), piece.tasks_added.begin(),
                           piece.tasks_added.end());
    all.tasks_removed.insert(all.tasks_removed.end(), piece.tasks_removed.begin(),
                             piece.tasks_removed.end());
    all.added.insert(all.added.end(), piece.added.begin(), piece.added.end());
    all.removed.insert(all.removed.end(), piece.removed.begin(), piece.removed.end());
  }
  EXPECT_EQ(all.tasks_added, change.tasks_added);
  EXPECT_EQ(all.tasks_removed, change.tasks_removed);
  EXPECT_EQ(all.added, change.added);
  EXPECT_EQ(all.removed, change.removed);
  EXPECT_EQ(in_pieces({}, 10).size(), 1u);
}

TEST(ProcessMerge, TheFirstWordOfTheMasterIsNewsAlsoWhenItIsEmpty) {
  Sources sources(options());
  const auto before = sources.merger_.snapshot(true);
  sources.merger_.apply_master({}, false);
  EXPECT_EQ(sources.merger_.snapshot(true), before) << "it has not answered";
  sources.merger_.apply_master({}, true);
  const auto after = sources.merger_.snapshot(true);
  EXPECT_NE(after, before);
  EXPECT_TRUE(after->master.known);
}

}  // namespace
}  // namespace viaduct::service
