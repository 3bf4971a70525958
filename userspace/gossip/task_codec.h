#pragma once

#include <string>

#include "base/result.h"
#include "gossip/row_codec.h"
#include "gossip/vip_message.h"
#include "service/task_row.h"

namespace viaduct::gossip {

/// The first octet of a running task's key.
inline constexpr std::uint8_t kKindTask = 4;

/// The key of a task's row: the framework, hashed, and the task's id.
std::string row_key(const service::TaskRow& row);

/// @errors Errc::malformed: no other node can use the row; too_large: the context says what is too
/// long.
base::Result<WireRow> encode_row(const service::TaskRow& row);

/// Fields of unknown tags are skipped.
/// @param row  one whose key begins with kKindTask.
/// @errors Errc::malformed: the context names the task and says what is wrong with it.
base::Result<service::TaskRow> decode_task(const WireRow& row, const RowRules& rules);

}  // namespace viaduct::gossip
