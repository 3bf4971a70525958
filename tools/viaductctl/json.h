#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::ctl {

namespace json = boost::json;

// Members of an object from the daemon, which may be older or newer than this program:
// what is missing or of another type reads as "", 0, false or an empty array.

std::string text_of(const json::value& object, std::string_view key);
std::uint64_t number_of(const json::value& object, std::string_view key);
bool flag_of(const json::value& object, std::string_view key);
const json::array& list_of(const json::value& object, std::string_view key);
/// A member object, or an empty one.
const json::value& object_of(const json::value& object, std::string_view key);

/// "1 row", "2 rows".
std::string counted(std::uint64_t count, std::string_view noun);

/// "250 ms", "3 s", "2 min", "5 h", "3 d": rounded down, for a person.
std::string duration_text(std::uint64_t milliseconds);

}  // namespace viaduct::ctl
