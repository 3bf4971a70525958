#pragma once

#include <functional>

#include "dataplane/image.h"
#include "dataplane/load.h"
#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// The maps' contents in the shape of /v1/vips. Names, nodes and tasks are not in the kernel and
/// stay empty.
/// @param loads  what was counted of a backend id.
json::array kernel_vips(const dataplane::Image& image,
                        const std::function<dataplane::Load(std::uint32_t)>& loads);

}  // namespace viaduct::ctl
