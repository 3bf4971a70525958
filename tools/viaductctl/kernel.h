#pragma once

#include <functional>

#include "dataplane/image.h"
#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// What is counted of one backend.
struct KernelCounts {
  std::uint32_t open = 0;
  std::uint64_t connects = 0;
  std::uint64_t flows = 0;
  std::uint64_t packets = 0;
};

/// The maps' contents in the shape of /v1/vips. Names, nodes and tasks are not in the kernel and
/// stay empty.
/// @param counts  of a backend id.
json::array kernel_vips(const dataplane::Image& image,
                        const std::function<KernelCounts(std::uint32_t)>& counts);

}  // namespace viaduct::ctl
