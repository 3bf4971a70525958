#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/viaductctl/explain.h"

namespace viaduct::ctl {

/// Asks the dry copy of each hook's program. The socket hook is asked for a process of this network
/// namespace. A hook that cannot be asked is an answer that says so.
/// @param socket  unix socket of viaductd, which knows what is attached where.
/// @param bpffs  absent: the folder that viaductd uses, or the default.
/// @errors the system's code when none can be asked: no pins, no right to open them.
base::Result<std::vector<HookAnswer>> explain(const std::string& socket,
                                              const std::optional<std::string>& bpffs,
                                              const Question& question);

}  // namespace viaduct::ctl
