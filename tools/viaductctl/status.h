#pragma once

#include <string>
#include <vector>

#include "tools/viaductctl/doctor.h"
#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// Adds how full the maps are of which viaductd does not say it.
void add_usage(json::value& status, const std::vector<MapFacts>& maps);

/// The node at a glance. @param status  the reply of /v1/status.
/// Adds how full the maps are of which the daemon does not say it.
void add_usage(json::value& status, const std::vector<MapFacts>& maps);

std::string status_text(const json::value& status);

}  // namespace viaduct::ctl
