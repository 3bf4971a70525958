#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "mesos/rejections.h"
#include "mesos/task.h"
#include "service/task_row.h"

namespace viaduct::mesos {

/// The part of a task's row that the task says itself: framework and agent are left empty.
/// A port or address that cannot be used, or is over a limit, is rejected alone.
service::TaskRow task_part(const Task& task, Rejections& rejections,
                           service::AddressRule rule = service::can_be_dialled);

/// The addresses of a row: those that are as the rule says, once each, in their order.
std::vector<service::TaskAddress> row_addresses(
    const std::vector<TaskAddress>& netinfo, const std::vector<service::TaskAddress>& labelled,
    service::AddressRule rule = service::can_be_dialled);

/// Whether a mapping leads from a port of the host into the container.
bool has_host_port(const MappedPort& mapping);

/// What DNS has to know of a running task.
/// A port or address that cannot be used, or is over a limit, is rejected alone.
/// @param agent  its agent's address.
/// @errors those of service::check_task.
base::Result<service::TaskRow> running_task(const Task& task, const std::string& framework,
                                            const base::Address& agent, Rejections& rejections);

}  // namespace viaduct::mesos
