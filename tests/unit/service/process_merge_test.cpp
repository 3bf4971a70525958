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
