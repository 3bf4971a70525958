#include "mesos/rejections.h"

#include <algorithm>
#include <utility>

#include "mesos/limits.h"

namespace viaduct::mesos {

void Rejections::add(std::string where, std::string reason) {
  if (kept_.size() < kMaxRejected)
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
  const std::string name = in_quotes(key);
  return where + ", label " + name.substr(1, name.size() - 2);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::string out(text.substr(0, kShown));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(out.begin(), out.end(), is_control, '?');
  return "\"" + out + (text.size() > kShown ? "...\"" : "\"");
}

}  // namespace viaduct::mesos
