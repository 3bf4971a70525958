#include "service/row.h"

#include <array>
#include <utility>

namespace viaduct::service {
namespace {

constexpr std::array<std::pair<PickRule, std::string_view>, 4> kPickRules = {{
    {PickRule::automatic, "automatic"},
    {PickRule::least_loaded, "least-loaded"},
    {PickRule::random, "random"},
    {PickRule::maglev, "maglev"},
}};

}  // namespace

std::string_view to_string(PickRule rule) {
  for (const auto& [value, word] : kPickRules)
    if (value == rule) return word;
  return "automatic";
}

std::optional<PickRule> parse_pick_rule(std::string_view text) {
  for (const auto& [value, word] : kPickRules)
    if (word == text) return value;
  return std::nullopt;
}

}  // namespace viaduct::service
