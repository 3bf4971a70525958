#pragma once

#include <string>

#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// The cluster as this node sees it. @param cluster  the reply of /v1/members.
std::string members_text(const json::value& cluster);

/// The keys of this node, and who has them.
std::string keys_text(const json::value& cluster);
json::value keys_json(const json::value& cluster);

}  // namespace viaduct::ctl
