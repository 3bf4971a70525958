#include "mesos/event_json.h"

#include <map>
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
    type,
    interval,
    state,
    tasks,
    unreachable_tasks,
    completed_tasks,
    frameworks,
    completed_frameworks,
    agents,
    first_event,  // the bodies of events, in the order of kEvents
  };
};

constexpr std::string_view kEvents[] = {"TASK_ADDED",       "TASK_UPDATED",    "AGENT_ADDED",
                                        "AGENT_REMOVED",    "FRAMEWORK_ADDED", "FRAMEWORK_UPDATED",
                                        "FRAMEWORK_REMOVED"};

const JsonLists& record_parts() {
  static const std::vector<std::string> task = {"task_id",   "framework_id", "agent_id", "name",
                                                "state",     "resources",    "statuses", "labels",
                                                "container", "discovery"};
  static const std::vector<std::string> ids = {"task_id", "framework_id", "agent_id"};
  static const std::string in = "subscribed.get_state.";
  static const JsonLists parts({
      {"type"},
      {"subscribed.heartbeat_interval_seconds"},
      {"subscribed.get_state", {}, true},
      {in + "get_tasks.tasks[]", task},
      {in + "get_tasks.unreachable_tasks[]", ids},
      {in + "get_tasks.completed_tasks[]", ids},
      {in + "get_frameworks.frameworks[]", {"framework_info"}},
      {in + "get_frameworks.completed_frameworks[]", {"framework_info"}},
      {in + "get_agents.agents[]", {"agent_info", "pid"}},
      {"task_added"},
      {"task_updated"},
      {"agent_added"},
      {"agent_removed"},
      {"framework_added"},
      {"framework_updated"},
      {"framework_removed"},
  });
  return parts;
}

std::optional<ReadTask> read_task_v1(const JsonItem& item) {
  return read_task_record(item, TaskForm::v1, "");
}

std::optional<ReadAgent> read_agent_v1(const JsonItem& item) {
  return read_agent_record(item, TaskForm::v1);
}

std::optional<ReadFramework> read_framework_v1(const JsonItem& item) {
  const auto info = item.object("framework_info");
  if (info) return read_framework_record(*info, TaskForm::v1);
  item.reject("has no framework_info");
  return std::nullopt;
}

/// The id of a framework within something that need not be read further.
std::string framework_id_of(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return "";
  Rejections none;
  const auto info = JsonItem(*object, "", none).object("framework_info");
  return info ? info->id("id").value_or("") : "";
}

class Reader : public JsonPartReader {
 public:
  explicit Reader(const IsKnownTask& is_known) : is_known_(is_known) {}

  void on_part(std::size_t part, const json::value& value, std::size_t index) override {
    switch (part) {
      case Part::type:
        if (const auto* text = value.if_string()) type_ = std::string(text->data(), text->size());
        break;
      case Part::interval:
        if (value.is_number()) interval_ = value.to_number<double>();
        break;
      case Part::state:
        has_state_ = true;
        break;
      case Part::tasks:
        add(read_record(value, "task", index, rejections_, read_task_v1), snapshot_.tasks,
            kMaxClusterTasks, "tasks");
        break;
      case Part::unreachable_tasks:
      case Part::completed_tasks:
        add_ended(value, part == Part::unreachable_tasks);
        break;
      case Part::frameworks:
        add(read_record(value, "framework", index, rejections_, read_framework_v1),
            snapshot_.frameworks, kMaxClusterFrameworks, "frameworks");
        break;
      case Part::completed_frameworks:
        snapshot_.completed_frameworks.insert(framework_id_of(value));
        break;
      case Part::agents:
        add(read_record(value, "agent", index, rejections_, read_agent_v1), snapshot_.agents,
            kMaxClusterAgents, "agents");
        break;
      default:
        bodies_.insert_or_assign(part, read_body(part, value));
    }
  }

  void on_too_large(std::size_t part, std::size_t index) override {
    const std::string place = part >= Part::first_event
                                  ? std::string(kEvents[part - Part::first_event])
                                  : "record #" + std::to_string(index);
    rejections_.add(place, "is too large");
  }

  void on_mismatch(const std::string& path) override {
    if (mismatch_.empty()) mismatch_ = path.empty() ? "the record" : path;
  }

  base::Result<MasterEvent> finish() {
    if (!type_) return base::Error{Errc::unexpected_shape, "the record has no type"};
    if (type_ == "SUBSCRIBED") return finish_snapshot();
    if (type_ == "HEARTBEAT") return MasterEvent(Heartbeat{});
    for (std::size_t i = 0; i < std::size(kEvents); i++)
      if (type_ == kEvents[i]) {
        const auto body = bodies_.find(Part::first_event + i);
        if (body != bodies_.end() && body->second) return std::move(*body->second);
        auto rejected = rejections_.take();
        if (rejected.empty()) rejected.push_back({*type_, "has no body"});
        return MasterEvent(UnusableEvent{std::move(rejected)});
      }
    return MasterEvent(UnknownEvent{});
  }

 private:
  template <class Record>
  void add(std::optional<Record> record, std::vector<Record>& to, std::size_t limit,
           const char* what) {
    if (!record) return;
    budget_.spend(record->rejected);
    if (to.size() < limit)
      to.push_back(std::move(*record));
    else if (to.size() == limit)
      rejections_.add(what, "only the first " + std::to_string(limit) + " are read");
  }

  void add_ended(const json::value& value, bool unreachable) {
    const auto* object = value.if_object();
    if (object == nullptr) return;
    Rejections none;
    const JsonItem item(*object, "", none);
    auto framework_id = item.id("framework_id");
    auto id = item.id("task_id");
    auto agent_id = unreachable ? item.id("agent_id") : std::nullopt;
    if (framework_id && id && is_known_(*framework_id, *id))
      snapshot_.ended.emplace(std::move(*framework_id), std::move(*id));
    if (agent_id) snapshot_.unreachable_agents.insert(std::move(*agent_id));
  }

  /// @return absent: it cannot be used, and rejections_ has the reason.
  std::optional<MasterEvent> read_body(std::size_t part, const json::value& value) {
    const char* noun = kEvents[part - Part::first_event].data();
    const auto read = [&](const char* key, auto read_it) -> std::optional<MasterEvent> {
      const auto* body = value.if_object();
      const auto* inner = body == nullptr ? nullptr : body->if_contains(key);
      if (inner == nullptr) {
        rejections_.add(noun, "has no " + std::string(key));
        return std::nullopt;
      }
      auto record = read_record(*inner, noun, 0, rejections_, read_it);
      if (!record) return std::nullopt;
      return MasterEvent(std::move(*record));
    };
    switch (part - Part::first_event) {
      case 0:
        return read("task", read_task_v1);
      case 1: {
        auto update = read_record(value, noun, 0, rejections_, read_update);
        if (!update) return std::nullopt;
        return MasterEvent(std::move(*update));
      }
      case 2:
        return read("agent", read_agent_v1);
      case 3:
        return read_agent_gone(value);
      case 4:
      case 5:
        return read("framework", read_framework_v1);
      default:
        if (std::string id = framework_id_of(value); !id.empty())
          return MasterEvent(FrameworkGone{std::move(id)});
        rejections_.add(noun, "names no framework");
        return std::nullopt;
    }
  }

  std::optional<MasterEvent> read_agent_gone(const json::value& value) {
    Rejections none;
    const auto* object = value.if_object();
    const auto id = object == nullptr ? std::nullopt : JsonItem(*object, "", none).id("agent_id");
    if (id) return MasterEvent(AgentGone{*id});
    rejections_.add("AGENT_REMOVED", "names no agent");
    return std::nullopt;
  }

  base::Result<MasterEvent> finish_snapshot() {
    if (!mismatch_.empty())
      return base::Error{Errc::unexpected_shape,
                         mismatch_ + " is not of the type that it has to be"};
    if (!has_state_) return base::Error{Errc::unexpected_shape, "there is no subscribed.get_state"};
    if (interval_ && *interval_ > 0 && *interval_ < 1e6)
      snapshot_.heartbeat = std::chrono::milliseconds(static_cast<std::int64_t>(*interval_ * 1000));
    snapshot_.rejected = rejections_.take();
    return MasterEvent(std::move(snapshot_));
  }

  const IsKnownTask& is_known_;
  std::optional<std::string> type_;
  std::optional<double> interval_;
  bool has_state_ = false;
  std::string mismatch_;
  ReadSnapshot snapshot_;
  std::map<std::size_t, std::optional<MasterEvent>> bodies_;
  Rejections rejections_;
  RejectedBudget budget_;
};

}  // namespace

base::Result<MasterEvent> read_event(std::string_view record, const IsKnownTask& is_known) {
  Reader reader(is_known);
  if (auto done = record_parts().read(record, kMaxRecordBytes, reader); !done) return done.error();
  return reader.finish();
}

}  // namespace viaduct::mesos
