#include "config/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace viaduct::config {
namespace {

/// Levenshtein distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); i++) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); j++) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

/// Longest name that is compared with the known ones, since the cost grows with the product of
/// lengths.
constexpr std::size_t kMaxSuggestedName = 64;

}  // namespace

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > kMaxSuggestedName) return "";
  const std::string* nearest = nullptr;
  std::size_t best = 0;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(name, candidate);
    if (!nearest || distance < best) nearest = &candidate, best = distance;
  }
  if (!nearest || best > std::max<std::size_t>(2, name.size() / 3)) return "";
  return "; did you mean " + *nearest + "?";
}

}  // namespace viaduct::config
