#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "mesos/masters.h"
#include "service/master_change.h"
#include "service/row.h"

namespace viaduct::mesos {

/// What the master's words came to.
struct MasterStep {
  enum class Kind {
    snapshot,   ///< all that there is: SUBSCRIBED, /state
    heartbeat,  ///< the master is there
    event,      ///< something changed
    unknown,    ///< of a type that a later master brings
  };
  Kind kind = Kind::unknown;
  service::MasterChange change;
  /// Of a snapshot: between heartbeats; absent: the master sends none (before Mesos 1.5).
  std::optional<std::chrono::milliseconds> heartbeat{};
  /// Frameworks have come or changed whose scheduler's address only /state-summary tells.
  bool wants_summary = false;
};

/// What the leading master says of the whole cluster, kept up with its event stream or with polls
/// of `/state`: running tasks of known agents, frameworks, agents, masters.
///
/// A snapshot that does not list a task ends it only if it lists the task's agent, or says that the
/// task or its framework ended. Else the master has just begun to lead and has yet to hear of the
/// agent: the task is held until its agent is back, and at most for `hold`. So fail-over withdraws
/// nothing.
/// What is wrong within one record costs that record alone; `rejected()` says why.
/// Source: facts on Mesos' operator API, 4 to 8; facts on Mesos-DNS, 4, 5, 10.
class MasterState {
 public:
  struct Options {
    std::chrono::milliseconds hold{std::chrono::minutes(10)};  ///< of tasks whose agent is not back
    std::chrono::milliseconds settle{5'000};  ///< from an agent's return to the end of its tasks
  };

  MasterState();
  explicit MasterState(Options options);
  ~MasterState();
  MasterState(MasterState&&) noexcept;
  MasterState& operator=(MasterState&&) noexcept;

  /// One record of a SUBSCRIBE stream in JSON.
  /// @errors bad_json, unexpected_shape: nothing has changed.
  base::Result<MasterStep> on_record(std::string_view record, base::Time now);
  /// The answer to GET `/state`: like a snapshot, schedulers' addresses included.
  /// @errors bad_json, unexpected_shape: nothing has changed.
  base::Result<MasterStep> on_state(std::string_view body, base::Time now);
  /// The answer to GET `/state-summary` or `/frameworks`: only schedulers' addresses are taken.
  /// @errors bad_json, unexpected_shape: nothing has changed.
  base::Result<service::MasterChange> on_summary(std::string_view body);

  /// Who leads, and who else may: from the configuration, or from ZooKeeper.
  service::MasterChange on_masters(const Masters& masters);

  /// Host names of schedulers and agents that have to be looked up.
  std::vector<std::string> hosts() const;
  /// @param addresses  none: the name has no address; what was known of it goes.
  service::MasterChange on_resolved(const std::string& host, std::vector<base::Address> addresses);

  /// Ends what is held for too long.
  service::MasterChange on_tick(base::Time now);
  /// When on_tick() has something to do; absent: nothing is held.
  std::optional<base::Time> next_tick() const;

  /// The leader that the last `/state` names ("master@192.0.2.1:5050"); absent: none was read.
  std::optional<base::Endpoint> named_leader() const;

  /// What could not be used of what the master says now, each with its place.
  std::vector<service::RejectedRow> rejected() const;

  /// For people.
  struct Counts {
    std::size_t tasks = 0;  ///< served
    std::size_t frameworks = 0;
    std::size_t agents = 0;
    std::size_t held = 0;             ///< of the tasks: their agents have yet to come back
    std::size_t ignored_updates = 0;  ///< so far: of tasks that were not known
  };
  Counts counts() const;

  /// Everything served now, sorted; a fresh state with the same words gives the same.
  service::MasterChange all() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace viaduct::mesos
