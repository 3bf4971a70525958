#include "mesos/record_json.h"

#include <algorithm>
#include <utility>

#include "mesos/running_task.h"
#include "mesos/status_json.h"
#include "service/mesos_row.h"

namespace viaduct::mesos {
namespace {

bool any_mapped(const std::vector<MappedPort>& mappings) {
  return std::any_of(mappings.begin(), mappings.end(), has_host_port);
}

/// Whether a row may be served once its framework and agent are known.
base::Result<void> check_part(service::TaskRow& row) {
  row.framework = "any";
  row.agent = {base::Address::v4(0xc0000201)};
  auto checked = service::check_task(row, service::is_unicast);
  row.framework.clear();
  row.agent.clear();
  return checked;
}

std::string without_reason_code(const base::Error& error) { return error.context; }

/// An id that rows can hold; absent: `item` is told why.
std::optional<std::string> usable_id(const JsonItem& item, std::optional<std::string> id) {
  if (!id || id->empty()) {
    item.reject("has no usable id");
    return std::nullopt;
  }
  if (id->size() > service::kMaxMesosTextOctets) {
    item.reject("its id has " + std::to_string(id->size()) + " octets; at most " +
                std::to_string(service::kMaxMesosTextOctets) + " are allowed");
    return std::nullopt;
  }
  return id;
}

std::optional<Pid> take(const JsonItem& item, base::Result<Pid> pid) {
  if (pid) return *pid;
  item.reject(without_reason_code(pid.error()));
  return std::nullopt;
}

}  // namespace

std::optional<ReadTask> read_task_record(const JsonItem& item, TaskForm form,
                                         const std::string& framework_id) {
  auto read = read_cluster_task(item, form, framework_id);
  if (!read) return std::nullopt;
  ReadTask record;
  record.framework_id = read->task.framework_id;
  record.ended = read->ended;
  record.running = read->task.state == TaskState::running;
  record.mappings_from_status = read->mappings_from_status;
  if (record.ended) {
    record.row.id = std::move(read->task.id);
    record.row.agent_id = std::move(read->task.agent_id);
    return record;
  }
  const bool mapped = any_mapped(read->task.mappings);
  if (read->mappings_from_status) read->task.mappings.clear();
  record.row = task_part(read->task, item.rejections(), service::is_unicast);
  record.host_port = record.row.host_port;
  record.row.host_port = record.host_port || mapped;
  const JsonItem named = item.at("task " + record.row.id);
  const auto checked = check_part(record.row);
  record.usable = checked.has_value() && !record.row.agent_id.empty();
  if (!checked)
    named.reject(without_reason_code(checked.error()));
  else if (!record.usable)
    named.reject("has no usable id of an agent");
  return record;
}

std::optional<ReadAgent> read_agent_record(const JsonItem& item, TaskForm form) {
  const auto info = form == TaskForm::v1 ? item.object("agent_info") : std::nullopt;
  const auto id = usable_id(
      item, form == TaskForm::state ? item.text("id") : (info ? info->id("id") : std::nullopt));
  if (!id) return std::nullopt;
  const JsonItem named = item.at("agent " + *id);
  ReadAgent record{*id};
  if (const auto pid = named.text("pid"))
    record.pid = take(named, parse_pid(*pid));
  else if (!named.has("pid"))
    named.reject("has no pid");
  return record;
}

std::optional<ReadFramework> read_framework_record(const JsonItem& item, TaskForm form) {
  const auto id = usable_id(item, form == TaskForm::v1 ? item.id("id") : item.text("id"));
  if (!id) return std::nullopt;
  const JsonItem named = item.at("framework " + *id);
  ReadFramework record{*id, named.text("name").value_or("")};
  if (record.name.size() > service::kMaxMesosTextOctets) {
    named.reject("its name has " + std::to_string(record.name.size()) + " octets; at most " +
                 std::to_string(service::kMaxMesosTextOctets) + " are allowed");
    record.name.clear();
  } else if (record.name.empty()) {
    named.reject("has no usable name");
  }
  record.tells_pid = form == TaskForm::state;
  if (record.tells_pid && named.has("pid")) {
    if (const auto pid = named.text("pid")) record.pid = take(named, parse_pid(*pid));
    return record;  // the host name says nothing of a scheduler with a pid
  }
  const auto host = named.text("hostname");
  if (host && !host->empty()) record.host = take(named, parse_host(*host));
  return record;
}

std::optional<ReadUpdate> read_update(const JsonItem& item) {
  const auto status = item.object("status");
  const auto framework_id = item.id("framework_id");
  const auto state = item.text("state");
  const auto id = status ? status->id("task_id") : std::nullopt;
  if (!framework_id || !id || !state) {
    item.reject("names no task, framework or state");
    return std::nullopt;
  }
  const JsonItem named = status->at("task " + *id);
  ReadUpdate update{*framework_id, *id, named.id("agent_id").value_or("")};
  update.ended = is_ended(*state);
  update.running = parse_task_state(*state) == TaskState::running;
  update.agent_removed = update.ended && named.text("source") == "SOURCE_MASTER" &&
                         named.text("reason") == "REASON_AGENT_REMOVED";
  if (update.ended || named.text("state") != "TASK_RUNNING") return update;
  const StatusFacts facts = read_status(named);
  update.addresses = row_addresses(facts.addresses, facts.label_addresses, service::is_unicast);
  update.mapped = any_mapped(facts.mappings);
  return update;
}

}  // namespace viaduct::mesos
