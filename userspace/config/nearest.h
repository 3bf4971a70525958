#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace viaduct::config {

/// What to add to "... is not a known key" for a name that nobody knows.
/// @return "; did you mean dns.port?" when one of the known names differs by two characters or a
/// third of the name at most, else "".
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace viaduct::config
