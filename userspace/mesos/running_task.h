#pragma once

#include <string>

#include "base/address.h"
#include "base/result.h"
#include "mesos/rejections.h"
#include "mesos/task.h"
#include "service/task_row.h"

namespace viaduct::mesos {

/// What DNS has to know of a running task.
/// A port or address that cannot be used, or is over a limit, is rejected alone.
/// @param agent  its agent's address.
/// @errors those of service::check_task.
base::Result<service::TaskRow> running_task(const Task& task, const std::string& framework,
                                            const base::Address& agent, Rejections& rejections);

}  // namespace viaduct::mesos
