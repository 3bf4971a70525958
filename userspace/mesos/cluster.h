#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "mesos/cluster_reading.h"
#include "mesos/host_names.h"
#include "mesos/record_rejections.h"
#include "service/master_change.h"

namespace viaduct::mesos {

/// What every record of a cluster has.
struct Known {
  enum class Kind : std::uint8_t { task, agent, framework };
  Kind kind;
  bool told = false;           ///< by the master, or held; else only other records refer to it
  bool touched = false;        ///< in the step that goes on: its row may change
  std::uint64_t snapshot = 0;  ///< the number of the last one that lists it
  std::optional<base::Time> until{};  ///< held, at most until then; absent: the master lists it
};

struct KnownAgent;
struct KnownFramework;

/// Ends the id of a task that a snapshot lists again with other contents: to Mesos-DNS both are
/// tasks. Mesos takes no id that has it.
inline constexpr char kTwinMark = '\0';
inline constexpr unsigned kMaxTwins = 8;

struct KnownTask : Known {
  KnownFramework* framework = nullptr;
  KnownAgent* agent = nullptr;  ///< null: it names none
  std::size_t place = 0;        ///< in its agent's list
  service::TaskRow row{};       ///< without what framework and agent say
  bool running = false;
  bool usable = false;
  bool host_port = false;
  bool mappings_from_status = false;
  bool is_twin = false;  ///< `row.id` ends with kTwinMark and a number
};

struct KnownAgent : Known {
  std::string id;
  std::optional<Pid> pid{};
  std::vector<KnownTask*> tasks{};
};

struct TaskById {
  using is_transparent = void;
  static std::string_view id(std::string_view text) { return text; }
  static std::string_view id(const std::unique_ptr<KnownTask>& task) { return task->row.id; }
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return id(a) < id(b);
  }
};

struct KnownFramework : Known {
  std::string id;
  std::string name{};
  std::optional<Pid> host{};
  std::optional<Pid> pid{};
  std::set<std::unique_ptr<KnownTask>, TaskById> tasks{};

  const std::optional<Pid>& place() const { return pid ? pid : host; }
};

/// The tasks, agents and frameworks that are known, and the rows that come of them. Each call
/// changes records; finish() tells what that has changed of the rows. A call costs what it changes,
/// however many records there are.
class Cluster {
 public:
  Cluster() = default;
  Cluster(Cluster&&) = delete;

  /// Takes what the master says of a record, which is then listed. Over a limit it is rejected.
  void put(ReadTask task);
  void put(ReadAgent agent);
  void put(ReadFramework framework);
  void put_pid(const ReadFramework& framework);
  /// @return whether the task is known.
  bool update(const ReadUpdate& update);

  void remove(KnownTask& task);
  /// With all its tasks.
  void remove(KnownAgent& agent);
  void remove(KnownFramework& framework);
  /// The record alone; tasks that refer to it are kept.
  void forget(KnownAgent& agent);
  void forget(KnownFramework& framework);

  /// The master does not list it; it is kept until `until`, or until an earlier end of its hold.
  void hold(Known& record, base::Time until);
  std::optional<base::Time> next_end() const;
  /// The records whose hold is over by `now`, which are then listed.
  std::vector<Known*> take_ended(base::Time now);

  /// The known task that a snapshot's one is; a second one of its id gets a mark.
  KnownTask* find_in(const KnownFramework& framework, ReadTask& read, bool& is_twin) const;
  KnownTask* task(std::string_view framework_id, std::string_view id) const;
  KnownAgent* agent(std::string_view id) const;
  KnownFramework* framework(std::string_view id) const;
  const auto& agents() const { return agents_; }
  const auto& frameworks() const { return frameworks_; }

  /// Until finish() put() takes the records of a new snapshot; the first one of an id counts.
  void begin_snapshot();
  bool is_in_snapshot(const Known& record) const { return record.snapshot == snapshot_; }

  std::vector<std::string> hosts() const { return hosts_.names(); }
  void set_addresses(const std::string& host, std::vector<base::Address> addresses);

  /// What has changed of the rows since the last call, sorted.
  service::MasterChange finish();
  /// All rows, sorted.
  service::MasterChange all() const;

  RecordRejections& rejections() { return rejections_; }
  std::vector<service::RejectedRow> rejected() const;

  struct Counts {
    std::size_t tasks = 0;
    std::size_t agents = 0;
    std::size_t frameworks = 0;
    std::size_t held = 0;
  };
  Counts counts() const { return counts_; }

 private:
  template <class Record, class Row>
  struct Touched {
    Record* record;
    std::unique_ptr<Row> before;  ///< null: it had no row
  };

  KnownFramework* find_or_make_framework(std::string_view id);
  KnownAgent* find_or_make_agent(std::string_view id);
  void set_agent(KnownTask& task, KnownAgent* agent);
  void set_place(KnownFramework& framework, std::optional<Pid> host, std::optional<Pid> pid);
  void move_host(Known& user, const std::optional<Pid>& from, const std::optional<Pid>& to);
  bool is_listed_twice(const Known& record, const std::string& where);
  void list(Known& record);
  void release(Known& record);
  void unlink(KnownTask& task);
  void drop_idle();

  void touch(KnownTask& task);
  void touch(KnownAgent& agent);
  void touch(KnownFramework& framework);
  void touch_tasks(KnownAgent& agent);
  void touch_tasks(KnownFramework& framework);
  template <class Record, class Row>
  void touch(Record& record, std::vector<Touched<Record, Row>>& touched);
  template <class Record, class Row>
  void finish(std::vector<Touched<Record, Row>>& touched, std::size_t& count,
              std::vector<Row>& removed, std::vector<Row>& added);

  std::vector<base::Address> addresses(const std::optional<Pid>& place) const;
  std::optional<service::TaskRow> row(const KnownTask& task) const;
  std::optional<service::MesosRow> row(const KnownAgent& agent) const;
  std::optional<service::MesosRow> row(const KnownFramework& framework) const;

  std::map<std::string, std::unique_ptr<KnownAgent>, std::less<>> agents_;
  std::map<std::string, std::unique_ptr<KnownFramework>, std::less<>> frameworks_;
  std::size_t tasks_ = 0;
  std::uint64_t snapshot_ = 0;
  bool in_snapshot_ = false;
  HostNames hosts_;
  RecordRejections rejections_;
  std::set<std::pair<base::Time, Known*>> held_;
  Counts counts_;

  /// Records that may be told by nobody and referred to by none.
  std::set<KnownAgent*> idle_agents_;
  std::set<KnownFramework*> idle_frameworks_;
  std::vector<Touched<KnownTask, service::TaskRow>> touched_tasks_;
  std::vector<Touched<KnownAgent, service::MesosRow>> touched_agents_;
  std::vector<Touched<KnownFramework, service::MesosRow>> touched_frameworks_;
};

}  // namespace viaduct::mesos
