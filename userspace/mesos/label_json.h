#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "mesos/json_item.h"
#include "mesos/task.h"

namespace viaduct::mesos {

/// The labels of an object that matter. The others may be long and of any type: they are not looked
/// at. `/state` has them as a plain list, the v1 API in an object.
std::vector<Label> read_labels(const JsonItem& owner, std::size_t limit,
                               bool (*matters)(std::string_view key));

}  // namespace viaduct::mesos
