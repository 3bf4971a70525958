#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "base/io/fd.h"

namespace viaduct::dataplane {

/// Opens network namespaces by their inode numbers: this process's own, those with a name
/// (iproute2, Docker), and those that any process is in. A namespace that only a descriptor or a
/// thread keeps alive is not found.
std::map<std::uint32_t, base::Fd> open_namespaces(const std::set<std::uint32_t>& inodes);

}  // namespace viaduct::dataplane
