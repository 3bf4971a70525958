#pragma once

#include <cstddef>
#include <functional>

namespace viaduct::test {

/// Octets of the heap that `work` held at most, besides what was held before.
std::size_t peak_octets(const std::function<void()>& work);

}  // namespace viaduct::test
