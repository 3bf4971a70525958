#include "base/quote.h"

#include <algorithm>

namespace viaduct::base {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::string out(text.substr(0, kShown));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(out.begin(), out.end(), is_control, '?');
  return "\"" + out + (text.size() > kShown ? "...\"" : "\"");
}

}  // namespace viaduct::base
