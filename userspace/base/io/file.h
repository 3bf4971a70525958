#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace viaduct::base {

/// Reads a whole file.
/// @errors Errc::too_large when it has more than `limit_bytes`; the system's code otherwise.
Result<std::string> read_file(const std::string& path, std::size_t limit_bytes);

/// Replaces a file so that a reader sees either the old or the new contents, also after a crash.
/// @errors the system's code; the old file stays.
Result<void> write_file(const std::string& path, std::string_view contents);

}  // namespace viaduct::base
