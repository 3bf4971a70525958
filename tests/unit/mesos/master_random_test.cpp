// A random cluster whose stream is cut, doubled and led by others: in the end the rows are those of
// a fresh state.

#include <functional>
#include <iterator>
#include <optional>

#include "base/rng.h"
#include "tests/unit/mesos/master_builder.h"

namespace viaduct::mesos {
namespace {

constexpr auto kHold = std::chrono::minutes(10);

class Story {
 public:
  explicit Story(std::uint64_t seed) : rng_(seed) {}

  const test::ClusterModel& model() const { return model_; }
  std::size_t below(std::size_t end) { return rng_.below(end); }

  /// Makes something happen; its records.
  test::ClusterModel::Records act() {
    switch (below(16)) {
      case 0:
        return add_agent();
      case 1:
        return add_framework();
      case 2:
        if (const auto* framework = any_framework())
          return model_.rename_framework(framework->id, "renamed." + std::to_string(below(3)));
        return {};
      case 3:
        if (below(3) > 0 || model_.frameworks().size() < 2) return {};
        return model_.remove_framework(std::string(pick(model_.frameworks()).id));
      case 4:
        return lose_or_return();
      case 5:
        if (below(4) > 0 || model_.agents().size() < 2) return {};
        return model_.shut_down_agent(std::string(pick(model_.agents()).id));
      case 6:
      case 7:
      case 8:
      case 9:
        return launch();
      default:
        return update();
    }
  }

  void fail_over() { model_.fail_over(); }
  /// One more step of the way back; absent: all is back.
  std::optional<test::ClusterModel::Records> recover() {
    std::vector<std::function<test::ClusterModel::Records()>> ways;
    for (const auto& entry : model_.agents())
      if (!entry.second.registered)
        ways.push_back([this, id = entry.first] { return model_.return_agent(id, below(2) == 0); });
    for (const auto& entry : model_.frameworks())
      if (!entry.second.known)
        ways.push_back([this, id = entry.first] { return model_.return_framework(id); });
    if (ways.empty()) return std::nullopt;
    return ways[below(ways.size())]();
  }

 private:
  template <class Map>
  const typename Map::mapped_type& pick(const Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(below(map.size())))->second;
  }

  const test::ModelFramework* any_framework() {
    if (model_.frameworks().empty()) return nullptr;
    const test::ModelFramework& framework = pick(model_.frameworks());
    return framework.known ? &framework : nullptr;
  }

  test::ClusterModel::Records add_agent() {
    const std::string number = std::to_string(next_++);
    const std::size_t kind = below(4);
    return model_.add_agent({"cluster-S" + number, kind == 0   ? "[2001:db8::" + number + "]"
                                                   : kind == 1 ? "agent.example"
                                                               : "192.0.2." + number});
  }

  test::ClusterModel::Records add_framework() {
    const std::string number = std::to_string(next_++);
    const std::size_t kind = below(3);
    return model_.add_framework({"cluster-" + number, "framework", "sched.example",
                                 kind == 0   ? "scheduler(1)@192.0.2.9:8080"
                                 : kind == 1 ? "scheduler@sched-2.example:8080"
                                             : ""});
  }

  test::ClusterModel::Records lose_or_return() {
    if (model_.agents().empty()) return {};
    const test::ModelAgent agent = pick(model_.agents());
    if (!agent.registered) return model_.return_agent(agent.id, below(2) == 0);
    const bool has_tasks =
        std::any_of(model_.tasks().begin(), model_.tasks().end(),
                    [&](const auto& entry) { return entry.second.agent == agent.id; });
    // An agent without tasks is lost without any record.
    return has_tasks ? model_.lose_agent(agent.id) : test::ClusterModel::Records{};
  }

  test::ClusterModel::Records launch() {
    const auto* framework = any_framework();
    if (framework == nullptr || model_.agents().empty()) return {};
    const test::ModelAgent& agent = pick(model_.agents());
    if (!agent.registered) return {};
    const std::string number = std::to_string(next_++);
    test::ModelTask task{"task." + number, framework->id, agent.id, "web", ""};
    if (below(2) == 0) task.discovery = "found-" + number;
    for (std::size_t i = below(3); i > 0; i--)
      task.ports.emplace_back(31000 + static_cast<int>(10 * i), 31001 + static_cast<int>(10 * i));
    std::reverse(task.ports.begin(), task.ports.end());
    return model_.launch(task);
  }

  test::ClusterModel::Records update() {
    if (model_.tasks().empty()) return {};
    const test::ModelTask task = pick(model_.tasks());
    if (!model_.agents().at(task.agent).registered || !model_.frameworks().at(task.framework).known)
      return {};
    static const char* const kStates[] = {"TASK_STARTING", "TASK_RUNNING", "TASK_RUNNING",
                                          "TASK_RUNNING",  "TASK_KILLING", "TASK_KILLED"};
    test::ModelStatus status{kStates[below(6)], static_cast<double>(++clock_), {}};
    for (std::size_t i = below(3); i > 0; i--)
      status.addresses.push_back(i == 1 ? "198.51.100." + std::to_string(1 + below(200))
                                        : "2001:db8:1::" + std::to_string(1 + below(200)) + "/64");
    return model_.update(task.framework, task.id, status);
  }

  base::Rng rng_;
  test::ClusterModel model_;
  int next_ = 1;
  int clock_ = 0;
};

void resolve_all(Watched& watched) {
  for (const std::string& host : watched.state.hosts())
    watched.resolve(host, {addr("203.0.113.5"), addr("2001:db8:5::1")});
}

/// What a fresh state makes of the cluster as it is.
Watched fresh(const test::ClusterModel& model) {
  Watched watched;
  watched.record(model.subscribed());
  watched.summary(model.summary());
  resolve_all(watched);
  return watched;
}

void expect_same(const Watched& found, const Watched& wanted) {
  ASSERT_EQ(found.rows.tasks(), wanted.rows.tasks());
  ASSERT_EQ(found.rows.processes(), wanted.rows.processes());
}

class RandomMaster : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomMaster, EachEventLeavesTheRowsOfAFreshState) {
  Story story(GetParam());
  Watched watched;
  watched.record(story.model().subscribed());
  for (int step = 0; step < 150; step++) {
    for (const std::string& record : story.act()) {
      watched.record(record);
      if (story.below(8) == 0) watched.record(record);
    }
    watched.summary(story.model().summary());
    resolve_all(watched);
    expect_same(watched, fresh(story.model()));
    if (HasFatalFailure()) FAIL() << "step " << step;
  }
  // `/state` says the same, and who leads.
  Watched polled;
  polled.poll(story.model().state());
  resolve_all(polled);
  polled.record(story.model().subscribed());
  expect_same(polled, fresh(story.model()));
}

TEST_P(RandomMaster, AStreamThatIsCutEndsWithTheRowsOfAFreshState) {
  Story story(GetParam());
  Watched watched(MasterState::Options{kHold, 5s});
  watched.record(story.model().subscribed());
  base::Time now = kStart;
  for (int step = 0; step < 300; step++) {
    now += 1s;
    if (watched.state.next_tick() && *watched.state.next_tick() <= now) watched.tick(now);
    if (story.below(20) == 0) {  // what happens meanwhile is not heard
      for (std::size_t missed = story.below(20); missed > 0; missed--) story.act();
      watched.record(story.model().subscribed(), now);
    }
    watched.records(story.act(), now);
  }
  now += kHold;
  watched.record(story.model().subscribed(), now);
  watched.tick(now + kHold);
  watched.summary(story.model().summary());
  resolve_all(watched);
  expect_same(watched, fresh(story.model()));
  EXPECT_EQ(watched.state.next_tick(), std::nullopt);
  EXPECT_EQ(watched.state.counts().held, 0u);
}

TEST_P(RandomMaster, AnotherLeaderWithdrawsNoTaskThatRuns) {
  Story story(GetParam());
  Watched watched(MasterState::Options{kHold, 5s});
  watched.record(story.model().subscribed());
  base::Time now = kStart;
  for (int round = 0; round < 3; round++) {
    for (int step = 0; step < 60; step++) watched.records(story.act(), now);
    resolve_all(watched);
    const auto served = watched.tasks();
    story.fail_over();
    bool whole = true;  // the new leader's first words may come at any time on the way back
    std::size_t first_words = story.below(3);
    for (auto records = std::optional(test::ClusterModel::Records{}); records;
         records = story.recover()) {
      now += 1s;
      if (whole && first_words-- == 0) {
        watched.record(story.model().subscribed(), now);
        whole = false;
      } else if (!whole) {
        watched.records(*records, now);
      }
      if (watched.state.next_tick() && *watched.state.next_tick() <= now) watched.tick(now);
      const auto serves = watched.tasks();
      for (const std::string& id : served)
        ASSERT_NE(std::find(serves.begin(), serves.end(), id), serves.end())
            << id << " is withdrawn in round " << round;
    }
    if (whole) watched.record(story.model().subscribed(), now);
    now += 6s;
    watched.tick(now);
  }
  watched.tick(now + kHold);
  watched.summary(story.model().summary());
  resolve_all(watched);
  expect_same(watched, fresh(story.model()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomMaster, testing::Range<std::uint64_t>(1, 13));

}  // namespace
}  // namespace viaduct::mesos
