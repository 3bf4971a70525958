#include "mesos/state_json.h"

#include <optional>
#include <string>
#include <utility>

#include "mesos/errors.h"
#include "mesos/json_lists.h"
#include "mesos/limits.h"
#include "mesos/record_json.h"

namespace viaduct::mesos {
namespace {

namespace json = boost::json;

struct Part {
  enum : std::size_t {
    leader,
    leader_info,
    agents_seen,
    agents,
    frameworks_seen,
    frameworks,
    tasks,
    unreachable_tasks,
    completed_tasks,
    completed_frameworks,
  };
};

const JsonLists& state_parts() {
  static const JsonLists parts({
      {"leader"},
      {"leader_info", {"pid"}},
      {"slaves", {}, true},
      {"slaves[]", {"id", "pid"}},
      {"frameworks", {}, true},
      {"frameworks[]", {"id", "name", "pid", "hostname"}},
      {"frameworks[].tasks[]",
       {"id", "name", "slave_id", "state", "resources", "statuses", "labels", "container",
        "discovery"}},
      {"frameworks[].unreachable_tasks[]", {"id", "slave_id"}},
      {"frameworks[].completed_tasks[]", {"id"}},
      {"completed_frameworks[]", {"id"}},
  });
  return parts;
}

std::optional<ReadAgent> read_agent_v0(const JsonItem& item) {
  return read_agent_record(item, TaskForm::state);
}

std::optional<ReadFramework> read_framework_v0(const JsonItem& item) {
  return read_framework_record(item, TaskForm::state);
}

std::string text_member(const json::value& value, const char* key) {
  Rejections none;
  const auto* object = value.if_object();
  return object == nullptr ? "" : JsonItem(*object, "", none).text(key).value_or("");
}

class Reader : public JsonPartReader {
 public:
  explicit Reader(const IsKnownTask& is_known) : is_known_(is_known) {}

  void on_part(std::size_t part, const json::value& value, std::size_t index) override {
    switch (part) {
      case Part::leader:
        if (const auto* text = value.if_string())
          take_leader("leader", {text->data(), text->size()});
        else if (!value.is_null())
          rejections_.add("leader", "is not a string");
        break;
      case Part::leader_info:
        if (std::string pid = text_member(value, "pid"); !pid.empty() && !snapshot_.leader)
          take_leader("leader_info", pid);
        break;
      case Part::agents_seen:
      case Part::frameworks_seen:
        is_state_ = true;
        break;
      case Part::agents:
        if (is_within(snapshot_.agents.size(), kMaxClusterAgents, "agents"))
          add(read_record(value, "agent", index, rejections_, read_agent_v0), snapshot_.agents);
        break;
      case Part::frameworks:
        end_framework(value, index);
        break;
      case Part::tasks:
        if (is_within(snapshot_.tasks.size(), kMaxClusterTasks, "tasks")) add_task(value, index);
        break;
      case Part::unreachable_tasks:
        snapshot_.unreachable_agents.insert(text_member(value, "slave_id"));
        [[fallthrough]];
      case Part::completed_tasks:
        if (std::string id = text_member(value, "id"); !id.empty()) ended_.push_back(std::move(id));
        break;
      default:
        snapshot_.completed_frameworks.insert(text_member(value, "id"));
    }
  }

  void on_too_large(std::size_t part, std::size_t index) override {
    rejections_.add((part == Part::tasks ? "task #" : "record #") + std::to_string(index),
                    "is too large");
    if (part == Part::frameworks) forget_framework();
  }

  void on_mismatch(const std::string& path) override {
    // Within a framework only its own list is lost.
    if (path.starts_with("frameworks[]."))
      rejections_.add(path, "is not a list");
    else if (mismatch_.empty())
      mismatch_ = path.empty() ? "the answer" : path;
  }

  base::Result<ReadSnapshot> finish() {
    if (!mismatch_.empty())
      return base::Error{Errc::unexpected_shape,
                         mismatch_ + " is not of the type that it has to be"};
    if (!is_state_ && !snapshot_.leader)
      return base::Error{Errc::unexpected_shape, "there are neither agents nor frameworks"};
    snapshot_.rejected = rejections_.take();
    return std::move(snapshot_);
  }

 private:
  bool is_within(std::size_t count, std::size_t limit, const char* what) {
    if (count < limit) return true;
    if (!told_limit_)
      rejections_.add(what, "only the first " + std::to_string(limit) + " are read");
    told_limit_ = true;
    return false;
  }

  template <class Record>
  void add(std::optional<Record> record, std::vector<Record>& to) {
    if (!record) return;
    budget_.spend(record->rejected);
    to.push_back(std::move(*record));
  }

  void take_leader(const char* where, std::string_view text) {
    const auto pid = parse_pid(text);
    if (pid && pid->address)
      snapshot_.leader = base::Endpoint{*pid->address, pid->port};
    else
      rejections_.add(where, pid ? "names a host; only addresses are read" : pid.error().context);
  }

  void add_task(const json::value& value, std::size_t index) {
    // The framework's id may come behind its tasks.
    auto task = read_record(value, "task", index, rejections_, [](const JsonItem& item) {
      return read_task_record(item, TaskForm::state, "?");
    });
    add(std::move(task), snapshot_.tasks);
  }

  void end_framework(const json::value& value, std::size_t index) {
    auto framework = read_record(value, "framework", index, rejections_, read_framework_v0);
    if (!framework) return forget_framework();
    for (std::size_t i = first_task_; i < snapshot_.tasks.size(); i++)
      snapshot_.tasks[i].framework_id = framework->id;
    first_task_ = snapshot_.tasks.size();
    for (std::string& id : ended_)
      if (is_known_(framework->id, id)) snapshot_.ended.emplace(framework->id, std::move(id));
    ended_.clear();
    if (is_within(snapshot_.frameworks.size(), kMaxClusterFrameworks, "frameworks"))
      add(std::move(framework), snapshot_.frameworks);
  }

  /// The one that ends cannot be used, and so can none of its tasks.
  void forget_framework() {
    if (first_task_ < snapshot_.tasks.size())
      rejections_.add("task " + snapshot_.tasks[first_task_].row.id,
                      "and those behind it have no usable framework");
    snapshot_.tasks.erase(snapshot_.tasks.begin() + static_cast<std::ptrdiff_t>(first_task_),
                          snapshot_.tasks.end());
    ended_.clear();
  }

  const IsKnownTask& is_known_;
  bool is_state_ = false;
  bool told_limit_ = false;
  std::string mismatch_;
  ReadSnapshot snapshot_;
  std::size_t first_task_ = 0;      // of the framework that is being read
  std::vector<std::string> ended_;  // ids of its tasks
  Rejections rejections_;
  RejectedBudget budget_;
};

class SummaryReader : public JsonPartReader {
 public:
  enum Part : std::size_t { seen, framework };

  void on_part(std::size_t part, const json::value& value, std::size_t index) override {
    if (part == seen) {
      is_summary_ = true;
    } else if (frameworks_.size() < kMaxClusterFrameworks) {
      Rejections none;
      if (auto read = read_record(value, "framework", index, none, read_framework_v0))
        frameworks_.push_back(std::move(*read));
    }
  }
  void on_too_large(std::size_t, std::size_t) override {}
  void on_mismatch(const std::string&) override {}

  base::Result<std::vector<ReadFramework>> finish() {
    if (!is_summary_) return base::Error{Errc::unexpected_shape, "there are no frameworks"};
    return std::move(frameworks_);
  }

 private:
  bool is_summary_ = false;
  std::vector<ReadFramework> frameworks_;
};

}  // namespace

base::Result<ReadSnapshot> read_state(std::string_view body, const IsKnownTask& is_known) {
  Reader reader(is_known);
  if (auto done = state_parts().read(body, kMaxRecordBytes, reader); !done) return done.error();
  return reader.finish();
}

base::Result<std::vector<ReadFramework>> read_summary(std::string_view body) {
  static const JsonLists parts(
      {{"frameworks", {}, true}, {"frameworks[]", {"id", "name", "pid", "hostname"}}});
  SummaryReader reader;
  if (auto done = parts.read(body, kMaxRecordBytes, reader); !done) return done.error();
  return reader.finish();
}

}  // namespace viaduct::mesos
