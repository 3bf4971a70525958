#pragma once

#include <string>

#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// The node at a glance. @param status  the reply of /v1/status.
std::string status_text(const json::value& status);

}  // namespace viaduct::ctl
