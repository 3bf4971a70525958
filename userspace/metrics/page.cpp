#include "metrics/page.h"

#include <cassert>
#include <charconv>
#include <cmath>

namespace viaduct::metrics {
namespace {

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return {text, end};
}

/// @param quotes  label values escape quotes, help texts do not.
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quotes)
      out += "\\\"";
    else
      out += c;
  }
  return out;
}

std::string label_text(const Family& family, const std::vector<std::string>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); i++)
    out +=
        (i ? "," : "{") + std::string(family.labels[i]) + "=\"" + escaped(values[i], true) + "\"";
  return out.empty() ? out : out + "}";
}

}  // namespace

Page::Sample& Page::at(const Family& family, const std::vector<std::string>& labels) {
  assert(is_well_formed(family) && labels.size() == family.labels.size());
  auto found = entries_.find(family.name);
  if (found == entries_.end()) found = entries_.emplace(family.name, Entry{family, {}}).first;
  return found->second.samples[labels];
}

std::string Page::text() const {
  std::string out;
  for (const auto& [name, entry] : entries_) {
    out += "# HELP " + name + " " + escaped(entry.family.help, false) + "\n";
    out += "# TYPE " + name + (entry.family.kind == Kind::counter ? " counter\n" : " gauge\n");
    for (const auto& [labels, sample] : entry.samples)
      out += name + label_text(entry.family, labels) + " " +
             (sample.is_integer ? std::to_string(sample.integer) : number(sample.real)) + "\n";
  }
  return out;
}

}  // namespace viaduct::metrics
