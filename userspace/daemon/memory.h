#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "service/row.h"

namespace viaduct::daemon {

/// Largest file of remembered rows that is read.
inline constexpr std::size_t kMaxMemoryBytes = 256 << 20;

/// Rows by source and part, as JSON:
/// {"version":2,"sources":{"files":{"shop.toml":{"rows":[...],"port_mappings":[...],"tasks":[...]}}}}.
/// What was rejected is not remembered.
std::string write_memory(const std::map<std::string, service::SourceParts>& sources);

/// Reads what write_memory() wrote, and version 1, which knew no parts: its sources have one each.
/// @errors base::Errc::bad_format; the context says what is wrong. All or nothing.
base::Result<std::map<std::string, service::SourceParts>> read_memory(std::string_view text);

}  // namespace viaduct::daemon
