#include "dns/type_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace viaduct::dns {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint16_t>, 10> kNames = {{{"A", 1},
                                                                                {"NS", 2},
                                                                                {"CNAME", 5},
                                                                                {"SOA", 6},
                                                                                {"PTR", 12},
                                                                                {"MX", 15},
                                                                                {"TXT", 16},
                                                                                {"AAAA", 28},
                                                                                {"SRV", 33},
                                                                                {"ANY", 255}}};

}  // namespace

std::string type_name(std::uint16_t type) {
  for (const auto& [name, number] : kNames)
    if (number == type) return std::string(name);
  return "TYPE" + std::to_string(type);
}

std::optional<std::uint16_t> parse_type(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const auto& [name, number] : kNames)
    if (upper == name) return number;
  if (!upper.starts_with("TYPE")) return {};
  std::uint16_t number = 0;
  const char* end = upper.data() + upper.size();
  const auto [rest, error] = std::from_chars(upper.data() + 4, end, number);
  if (error != std::errc() || rest != end) return {};
  return number;
}

}  // namespace viaduct::dns
