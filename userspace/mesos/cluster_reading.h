#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mesos/limits.h"
#include "mesos/pid.h"
#include "service/row.h"
#include "service/task_row.h"

namespace viaduct::mesos {

// What a master's words say, record by record, before it is held against what is known.
// A record that cannot be used but has an id is there as well: the master lists it.

struct ReadTask {
  std::string framework_id;
  service::TaskRow row{};  ///< without the framework's name and the agent's addresses
  bool ended = false;
  bool running = false;
  bool usable = false;                ///< its row may be served
  bool host_port = false;             ///< row.host_port without what statuses say
  bool mappings_from_status = false;  ///< statuses have a say in row.host_port
  std::vector<service::RejectedRow> rejected{};
};

struct ReadAgent {
  std::string id;
  std::optional<Pid> pid{};  ///< absent: none that can be used
  std::vector<service::RejectedRow> rejected{};
};

struct ReadFramework {
  std::string id;
  std::string name;           ///< "": none that can be used
  std::optional<Pid> host{};  ///< from its `hostname`
  bool tells_pid = false;     ///< whether this source has the pid of a scheduler that has one
  std::optional<Pid> pid{};
  std::vector<service::RejectedRow> rejected{};
};

/// A TASK_UPDATED.
struct ReadUpdate {
  std::string framework_id;
  std::string task_id;
  std::string agent_id;  ///< "": not told
  bool ended = false;
  bool running = false;
  bool agent_removed = false;  ///< it says so, and that all tasks of the agent end
  /// Of a status that says TASK_RUNNING; absent: the addresses stay.
  std::optional<std::vector<service::TaskAddress>> addresses{};
  bool mapped = false;  ///< with addresses: some port of the host leads into the container
  std::vector<service::RejectedRow> rejected{};
};

/// All that a master says at once.
struct ReadSnapshot {
  std::vector<ReadAgent> agents{};
  std::vector<ReadFramework> frameworks{};
  std::vector<ReadTask> tasks{};
  std::set<std::pair<std::string, std::string>> ended{};  ///< of the known tasks: framework, id
  std::set<std::string> unreachable_agents{};
  std::set<std::string> completed_frameworks{};
  std::optional<std::chrono::milliseconds> heartbeat{};
  std::optional<base::Endpoint> leader{};
  std::vector<service::RejectedRow> rejected{};  ///< of records without id
};

/// Bounds what is kept for people of all records that are read together.
class RejectedBudget {
 public:
  /// Cuts what a record adds to one row once kMaxRejected were kept.
  void spend(std::vector<service::RejectedRow>& rows) {
    if (spent_ + rows.size() > kMaxRejected && rows.size() > 1) rows.resize(1);
    spent_ += rows.size();
  }

 private:
  std::size_t spent_ = 0;
};

/// Whether a task is known, by its framework's id and its own. A master lists very many that ended;
/// only of known ones is it of interest.
using IsKnownTask = std::function<bool(std::string_view framework_id, std::string_view id)>;

}  // namespace viaduct::mesos
