#include "files/mistakes.h"

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

}  // namespace viaduct::files
