#pragma once

#include <string>

#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// What each source read. @param rows  the reply of /v1/rows.
std::string rows_text(const json::value& rows);

/// What was refused, where it stands and why.
std::string rejected_text(const json::value& rows);

/// The same as one array: [{"source", "where", "reason"}]; the source of a conflict between rows is
/// "merge".
json::array rejected_list(const json::value& rows);

}  // namespace viaduct::ctl
