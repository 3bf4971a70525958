#pragma once

#include <optional>
#include <vector>

#include "mesos/masters.h"
#include "service/mesos_row.h"
#include "service/row.h"

namespace viaduct::mesos {

/// The rows of the masters: each address once, numbered from 0 in their order; a leader that is not
/// among them comes last. Of the leader the port counts that it leads with.
/// @param rejected  gets those that cannot be used, and all behind the first kMaxClusterMasters.
/// Source: facts on Mesos-DNS, 4.
std::vector<service::MesosRow> master_rows(const std::vector<base::Endpoint>& all,
                                           const std::optional<base::Endpoint>& leader,
                                           std::vector<service::RejectedRow>& rejected);

}  // namespace viaduct::mesos
