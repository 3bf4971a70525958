#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::test {

/// The records of a whole stream in RecordIO; a cut one at its end is left out.
inline std::vector<std::string> records(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t line = text.find('\n');
    if (line == std::string_view::npos) break;
    const std::size_t length = std::strtoul(std::string(text.substr(0, line)).c_str(), nullptr, 10);
    if (length > text.size() - line - 1) break;
    out.emplace_back(text.substr(line + 1, length));
    text.remove_prefix(line + 1 + length);
  }
  return out;
}

/// A SUBSCRIBED record of an answer to GET_STATE.
inline std::string subscribed(std::string_view get_state_answer) {
  const std::size_t body = get_state_answer.find("\"get_state\"");
  if (body == std::string_view::npos) return "{}";
  const std::size_t end = get_state_answer.rfind('}');
  return R"({"type":"SUBSCRIBED","subscribed":{)" +
         std::string(get_state_answer.substr(body, end - body)) + "}}";
}

}  // namespace viaduct::test
