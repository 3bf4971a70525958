#pragma once

#include <optional>
#include <string>

#include "tools/viaductctl/doctor.h"

namespace viaduct::ctl {

/// Looks at everything that doctor judges. What cannot be read is noted in the facts.
/// @param bpffs  absent: the folder that viaductd uses, or the default.
Facts gather_facts(const std::string& socket, const std::optional<std::string>& bpffs);

/// What is attached where: places, socket hooks, and devices with their programs. Nothing else.
/// @param bpffs  as above.
Facts gather_attachments(const std::string& socket, const std::optional<std::string>& bpffs);

}  // namespace viaduct::ctl
