#include "http/message.h"

#include <algorithm>

namespace viaduct::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::optional<std::string_view> Response::header(std::string_view name) const {
  for (const auto& [own, value] : headers)
    if (same_name(own, name)) return value;
  return std::nullopt;
}

}  // namespace viaduct::http
