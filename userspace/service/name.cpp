#include "service/name.h"

#include <cstddef>

namespace viaduct::service {
namespace {

constexpr std::size_t kMaxLabel = 63;  // RFC 1035, 2.3.4

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

void strip_dashes(std::string& label) {
  while (!label.empty() && label.back() == '-') label.pop_back();
}

/// One label; `dashes` lists the octets that count as `-` after the first letter or digit.
std::string make_label(std::string_view text, std::string_view dashes) {
  std::string label;
  bool was_full =
      false;  // once 63 characters stood, only letters and digits may fill the gap left by dashes
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool dash = dashes.find(c) != std::string_view::npos;
    if (!is_alphanumeric(c) && (!dash || label.empty() || was_full)) continue;
    if (label.size() == kMaxLabel) break;
    label += dash ? '-' : c;
    if (label.size() == kMaxLabel && !was_full) {
      strip_dashes(label);
      was_full = true;
    }
  }
  strip_dashes(label);
  return label;
}

}  // namespace

std::string sanitise_name(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    const auto dot = text.find('.');
    const std::string label = make_label(text.substr(0, dot), "-_");
    if (!label.empty()) name += (name.empty() ? "" : ".") + label;
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  return name;
}

std::string sanitise_label(std::string_view text) { return make_label(text, "-_."); }

}  // namespace viaduct::service
