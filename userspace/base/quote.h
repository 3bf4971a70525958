#pragma once

#include <string>
#include <string_view>

namespace viaduct::base {

/// The text in quotes for a message: cut after 80 octets (marked by "..."), control characters
/// replaced by '?'.
std::string in_quotes(std::string_view text);

}  // namespace viaduct::base
