#include "mesos/rejections.h"

#include <utility>

#include "base/quote.h"

namespace viaduct::mesos {

void Rejections::add(std::string where, std::string reason) {
  if (kept_.size() < limit_)
    kept_.push_back({std::move(where), std::move(reason)});
  else
    more_++;
}

void Rejections::append(const std::vector<service::RejectedRow>& rows) {
  for (const auto& row : rows) add(row.where, row.reason);
}

std::vector<service::RejectedRow> Rejections::take() {
  if (more_ > 0)
    kept_.push_back({"the rest of the answer", std::to_string(more_) + " more could not be used"});
  more_ = 0;
  return std::exchange(kept_, {});
}

std::string label_place(const std::string& where, std::string_view key) {
  const std::string name = base::in_quotes(key);
  return where + ", label " + name.substr(1, name.size() - 2);
}

}  // namespace viaduct::mesos
