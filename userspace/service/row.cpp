#include "service/row.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace viaduct::service {

SourceParts::SourceParts(SourceRows all) {
  parts_.emplace("", std::make_shared<const SourceRows>(std::move(all)));
}

void SourceParts::put(const std::string& name, std::shared_ptr<const SourceRows> part) {
  assert(part);
  parts_[name] = std::move(part);
}

std::size_t SourceParts::row_count() const {
  std::size_t count = 0;
  for (const auto& [name, part] : parts_) count += part->rows.size();
  return count;
}

std::size_t SourceParts::rejected_count() const {
  std::size_t count = 0;
  for (const auto& [name, part] : parts_) count += part->rejected.size();
  return count;
}

bool SourceParts::operator==(const SourceParts& other) const {
  return std::equal(parts_.begin(), parts_.end(), other.parts_.begin(), other.parts_.end(),
                    [](const auto& left, const auto& right) {
                      return left.first == right.first &&
                             (left.second == right.second || *left.second == *right.second);
                    });
}

}  // namespace viaduct::service
