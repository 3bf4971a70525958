#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "mesos/master_state.h"
#include "tests/support/cluster_model.h"

namespace viaduct::mesos {

using namespace std::chrono_literals;

inline constexpr base::Time kStart{};

inline base::Address addr(std::string_view text) { return base::Address::parse(text).value(); }
inline base::Endpoint endpoint(std::string_view text) {
  return base::Endpoint::parse(text).value();
}

/// The rows that changes have made, kept up as a sink keeps them. A removed row has to be there.
class Rows {
 public:
  void apply(const service::MasterChange& change) {
    for (const auto& row : change.tasks_removed) take(tasks_, row);
    for (const auto& row : change.removed) take(processes_, row);
    for (const auto& row : change.tasks_added) put(tasks_, row);
    for (const auto& row : change.added) put(processes_, row);
  }
  const std::vector<service::TaskRow>& tasks() const { return tasks_; }
  const std::vector<service::MesosRow>& processes() const { return processes_; }

 private:
  template <class Row>
  static void take(std::vector<Row>& rows, const Row& row) {
    const auto at = std::lower_bound(rows.begin(), rows.end(), row);
    ASSERT_TRUE(at != rows.end() && *at == row) << "a removed row is not there: " << row.id;
    rows.erase(at);
  }
  template <class Row>
  static void put(std::vector<Row>& rows, const Row& row) {
    const auto at = std::lower_bound(rows.begin(), rows.end(), row);
    ASSERT_TRUE(at == rows.end() || *at != row) << "an added row is there already: " << row.id;
    rows.insert(at, row);
  }

  std::vector<service::TaskRow> tasks_;
  std::vector<service::MesosRow> processes_;
};

/// A MasterState whose changes always add up to its all().
class Watched {
 public:
  Watched() = default;
  explicit Watched(MasterState::Options options) : state(options) {}

  MasterStep record(const std::string& text, base::Time now = kStart) {
    auto step = state.on_record(text, now);
    EXPECT_TRUE(step) << text.substr(0, 300);
    if (!step) return {};
    check(step->change);
    return *step;
  }
  void records(const std::vector<std::string>& texts, base::Time now = kStart) {
    for (const std::string& text : texts) record(text, now);
  }
  MasterStep poll(const std::string& text, base::Time now = kStart) {
    auto step = state.on_state(text, now);
    EXPECT_TRUE(step) << text.substr(0, 300);
    if (!step) return {};
    check(step->change);
    return *step;
  }
  void summary(const std::string& text) { check(state.on_summary(text).value()); }
  void resolve(const std::string& host, std::vector<base::Address> addresses) {
    check(state.on_resolved(host, std::move(addresses)));
  }
  void tick(base::Time now) { check(state.on_tick(now)); }
  void masters(const Masters& masters) { check(state.on_masters(masters)); }

  /// Ids of the tasks that are served.
  std::vector<std::string> tasks() const {
    std::vector<std::string> out;
    for (const auto& row : rows.tasks()) out.push_back(row.id);
    return out;
  }
  /// "agent S1 192.0.2.1:5051", "framework f1 marathon -:0".
  std::vector<std::string> processes() const {
    std::vector<std::string> out;
    for (const auto& row : rows.processes()) {
      std::string line = std::string(service::to_string(row.role)) + " " + row.id;
      if (!row.name.empty()) line += " " + row.name;
      line += " " + (row.addresses.empty() ? "-" : row.addresses.front().to_string());
      for (std::size_t i = 1; i < row.addresses.size(); i++)
        line += "," + row.addresses[i].to_string();
      line += ":" + std::to_string(row.port);
      if (row.role == service::MesosRole::master) line += " #" + std::to_string(row.order);
      if (row.leader) line += " leads";
      out.push_back(line);
    }
    return out;
  }
  std::vector<std::string> rejected() const {
    std::vector<std::string> out;
    for (const auto& row : state.rejected()) out.push_back(row.where + ": " + row.reason);
    return out;
  }

  MasterState state;
  Rows rows;

 private:
  void check(const service::MasterChange& change) {
    rows.apply(change);
    const service::MasterChange all = state.all();
    ASSERT_EQ(all.tasks_added, rows.tasks());
    ASSERT_EQ(all.added, rows.processes());
    ASSERT_TRUE(all.tasks_removed.empty() && all.removed.empty());
    ASSERT_EQ(state.counts().tasks, rows.tasks().size());
  }
};

/// A cluster with two agents, framework "marathon" and the running tasks web.1 and web.2, one on
/// each.
inline test::ClusterModel two_agents() {
  test::ClusterModel model;
  model.add_agent({"S1", "192.0.2.1"});
  model.add_agent({"S2", "192.0.2.2"});
  model.add_framework({"f1", "marathon", "sched.example", ""});
  for (const std::string number : {"1", "2"}) {
    model.launch({"web." + number, "f1", "S" + number, "web", ""});
    model.update("f1", "web." + number, {"TASK_RUNNING", 1, {"198.51.100." + number}});
  }
  return model;
}

}  // namespace viaduct::mesos
