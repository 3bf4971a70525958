#pragma once

#include <optional>
#include <string>

#include "mesos/cluster_reading.h"
#include "mesos/json_item.h"
#include "mesos/task_json.h"

namespace viaduct::mesos {

// Readers of one record each. What is wrong within it goes to the record's own rejections.
// @return absent when there is no usable id; then `rejections` has the reason.

/// @param framework_id  "": the task says itself.
std::optional<ReadTask> read_task_record(const JsonItem& item, TaskForm form,
                                         const std::string& framework_id);
/// @param id  of the v1 API: in `agent_info`; of `/state`: plain.
std::optional<ReadAgent> read_agent_record(const JsonItem& item, TaskForm form);
/// `framework_info` of the v1 API, or an element of `/state`, `/frameworks`, `/state-summary`.
std::optional<ReadFramework> read_framework_record(const JsonItem& item, TaskForm form);
/// The body of TASK_UPDATED.
std::optional<ReadUpdate> read_update(const JsonItem& item);

/// Calls `read(JsonItem)` for a value that has to be an object.
/// @param noun  names it in its place: "task", with `index` if that is not 0: "task #3".
/// @param rejections  get the reason if it is none, or cannot be used.
template <class Read>
auto read_record(const boost::json::value& value, const char* noun, std::size_t index,
                 Rejections& rejections, Read read) -> decltype(read(std::declval<JsonItem&>())) {
  std::string where = noun;
  if (index > 0) where += " #" + std::to_string(index);
  const auto* object = value.if_object();
  if (object == nullptr) {
    rejections.add(std::move(where), "is not an object");
    return std::nullopt;
  }
  Rejections own(kMaxRejectedPerRecord);
  JsonItem item(*object, std::move(where), own);
  auto record = read(item);
  if (record)
    record->rejected = own.take();
  else
    rejections.append(own.take());
  return record;
}

}  // namespace viaduct::mesos
