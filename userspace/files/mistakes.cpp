#include "files/mistakes.h"

#include <algorithm>
#include <utility>

#include "files/limits.h"

namespace viaduct::files {

std::string Mistakes::place(std::size_t line) const {
  return line == 0 ? file_ : file_ + ":" + std::to_string(line);
}

void Mistakes::add(std::size_t line, std::string what) {
  if (count_++ < kMaxMistakesPerFile) kept_.push_back({place(line), std::move(what)});
}

std::vector<service::RejectedRow> Mistakes::take() {
  if (count_ > kMaxMistakesPerFile)
    kept_.push_back({file_, std::to_string(count_ - kMaxMistakesPerFile) + " more mistakes"});
  count_ = 0;
  return std::exchange(kept_, {});
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::string out(text.substr(0, kShown));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(out.begin(), out.end(), is_control, '?');
  return "\"" + out + (text.size() > kShown ? "...\"" : "\"");
}

}  // namespace viaduct::files
