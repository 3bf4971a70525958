#include "metrics/family.h"

#include <algorithm>

namespace viaduct::metrics {
namespace {

bool is_word(std::string_view text) {
  if (text.empty() || !(text[0] >= 'a' && text[0] <= 'z')) return false;
  return std::ranges::all_of(
      text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace

bool is_well_formed(const Family& family) {
  const bool named =
      is_word(family.name) && family.name.starts_with("viaduct_") && !family.name.ends_with("_");
  const bool total = family.name.ends_with("_total");
  return named && total == (family.kind == Kind::counter) && !family.help.empty() &&
         std::ranges::all_of(family.labels, is_word);
}

}  // namespace viaduct::metrics
