// How tasks of this and other nodes come into a snapshot.

#include "service/task_merge.h"

#include <gmock/gmock.h>

#include "tests/unit/service/merger_sources.h"

namespace viaduct::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SourceParts tasks(std::vector<TaskRow> rows) { return SourceRows{{}, {}, {}, std::move(rows)}; }

std::vector<std::string> shown(const Snapshot& snapshot) {
  std::vector<std::string> lines;
  for (const auto& task : snapshot.tasks) lines.push_back(task->node + " " + task->row.id);
  return lines;
}

TEST(TaskMerge, HasTheTasksOfAllNodesByName) {
  Sources sources(options());
  sources.replace("mesos-agent", tasks({task("web", "web.1"), task("db", "db.1")}));
  sources.publish("node2", {}, {}, {task("web", "web.2")});
  EXPECT_THAT(shown(*sources.merged()), ElementsAre("node1 db.1", "node1 web.1", "node2 web.2"));
  sources.replace("mesos-agent", tasks({task("web", "web.1")}));
  EXPECT_THAT(shown(*sources.merged()), ElementsAre("node1 web.1", "node2 web.2"));
  sources.forget("node2");
  EXPECT_THAT(shown(*sources.merged()), ElementsAre("node1 web.1"));
}

TEST(TaskMerge, TasksOfADeadNodeGoUnlessNoneOfTheNameWouldBeLeft) {
  Sources sources(options());
  sources.replace("mesos-agent", tasks({task("web", "web.1")}));
  sources.publish("node2", {}, {}, {task("web", "web.2"), task("db", "db.1")});
  sources.mask("node2", Mask::suspect);
  EXPECT_THAT(shown(*sources.merged()), ElementsAre("node2 db.1", "node1 web.1", "node2 web.2"));
  sources.mask("node2", Mask::dead);
  EXPECT_THAT(shown(*sources.merged()), ElementsAre("node2 db.1", "node1 web.1"));
  sources.publish("node3", {}, {}, {task("db", "db.2")});
  EXPECT_THAT(shown(*sources.merged()), ElementsAre("node3 db.2", "node1 web.1"));
  sources.mask("node2", Mask::none);
  EXPECT_THAT(shown(*sources.merged()),
              ElementsAre("node2 db.1", "node3 db.2", "node1 web.1", "node2 web.2"));
}

TEST(TaskMerge, OfTwoSourcesThatKnowATaskTheFirstCounts) {
  Sources sources(options());
  sources.replace("b", tasks({task("web", "web.1", "198.51.100.2")}));
  sources.replace("a", tasks({task("web", "web.1", "198.51.100.1")}));
  auto snapshot = sources.merged();
  ASSERT_EQ(snapshot->tasks.size(), 1u);
  EXPECT_EQ((*snapshot->tasks.begin())->row.addresses[0].address, address("198.51.100.1"));
  sources.replace("a", tasks({}));
  snapshot = sources.merged();
  ASSERT_EQ(snapshot->tasks.size(), 1u);
  EXPECT_EQ((*snapshot->tasks.begin())->row.addresses[0].address, address("198.51.100.2"));
}

TEST(TaskMerge, AChangeTellsTheTasksThatItTouchesAndNoOthers) {
  Sources sources(options());
  std::vector<TaskRow> many;
  for (int i = 0; i < 1000; i++)
    many.push_back(task(("app" + std::to_string(i)).c_str(), std::to_string(i).c_str()));
  sources.replace("mesos-agent", tasks(many));
  const auto before = sources.merged();
  many[500].addresses[0].address = address("198.51.100.77");
  sources.replace("mesos-agent", tasks(many));
  const auto after = sources.merged();
  EXPECT_GT(after->revision, before->revision);
  std::vector<std::string> told;
  Tasks::compare(before->tasks, after->tasks,
                 [&](auto* old, auto* now) { told.push_back((*(old ? old : now))->row.id); });
  EXPECT_THAT(told, ElementsAre("500"));
  sources.replace("mesos-agent", tasks(many));
  EXPECT_EQ(sources.merged(), after);
  sources.replace("mesos-agent", tasks({}));
  EXPECT_THAT(shown(*sources.merged()), IsEmpty());
}

}  // namespace
}  // namespace viaduct::service
