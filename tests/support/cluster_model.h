#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct::test {

struct ModelStatus {
  std::string state;
  double timestamp = 0;
  std::vector<std::string> addresses;
};

/// A task as its agent knows it.
struct ModelTask {
  std::string id;
  std::string framework;
  std::string agent;
  std::string name;
  std::string discovery;  ///< "": none
  std::string state = "TASK_STAGING";
  std::vector<ModelStatus> statuses{};
  std::vector<std::pair<int, int>> ports{};
  std::string more{};  ///< further members as JSON, each with a comma before it

  bool ended() const;
};

struct ModelAgent {
  std::string id;
  std::string host;  ///< as a pid holds it: "192.0.2.1", "[2001:db8::1]", "agent.example"
  bool registered = true;
};

struct ModelFramework {
  std::string id;
  std::string name;
  std::string hostname;
  std::string pid;  ///< "": it speaks HTTP
  bool known = true;
};

/// A cluster and its leading master, which says what happens as Mesos' v1 operator API does. Calls
/// that make something happen return the records that a subscriber gets.
/// Source: facts on Mesos' operator API, 4 to 6.
class ClusterModel {
 public:
  using Records = std::vector<std::string>;

  Records add_agent(const ModelAgent& agent);
  Records add_framework(const ModelFramework& framework);
  Records rename_framework(const std::string& id, const std::string& name);
  Records remove_framework(const std::string& id);
  Records launch(ModelTask task);
  /// A status update; a status of the last one's state replaces it.
  Records update(const std::string& framework, const std::string& id, ModelStatus status);
  /// The agent is lost to the master: its tasks go on, and no record says so of the agent itself.
  Records lose_agent(const std::string& id);
  /// A lost or recovered agent comes back with all its tasks.
  Records return_agent(const std::string& id, bool agent_first);
  Records shut_down_agent(const std::string& id);
  /// Another master leads: it knows nothing but which agents were there.
  void fail_over();
  /// A framework's scheduler finds the new master.
  Records return_framework(const std::string& id);

  /// Records of one thing alone.
  std::string task_added(const ModelTask& task) const;
  std::string agent_added(const ModelAgent& agent) const;

  /// The record that begins a stream.
  std::string subscribed() const;
  /// The answer to GET /state.
  std::string state() const;
  /// The answer to GET /state-summary.
  std::string summary() const;

  const std::map<std::string, ModelAgent>& agents() const { return agents_; }
  const std::map<std::string, ModelFramework>& frameworks() const { return frameworks_; }
  /// By framework and id.
  const std::map<std::pair<std::string, std::string>, ModelTask>& tasks() const { return tasks_; }

 private:
  bool is_listed(const ModelTask& task) const;

  std::map<std::string, ModelAgent> agents_;
  std::map<std::string, ModelFramework> frameworks_;
  std::map<std::pair<std::string, std::string>, ModelTask> tasks_;
  std::vector<ModelTask> completed_;    ///< since the master leads
  std::vector<ModelTask> unreachable_;  ///< since the master leads
  std::set<std::string> completed_frameworks_;
};

}  // namespace viaduct::test
