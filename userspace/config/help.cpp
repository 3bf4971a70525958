#include "config/help.h"

namespace viaduct::config {
namespace {

std::string limits(const Key& key) {
  std::string text;
  for (const std::string& choice : key.choices) text += (text.empty() ? "" : " | ") + choice;
  if (key.range) text = std::to_string(key.range->min) + ".." + std::to_string(key.range->max);
  if (!key.unit.empty()) text += (text.empty() ? "" : " ") + key.unit;
  return text;
}

}  // namespace

std::string help(const Schema& schema) {
  std::string text;
  std::string table;
  for (const Key& key : schema.keys) {
    const std::size_t dot = key.name.rfind('.');
    const std::string own = dot == std::string::npos ? "" : key.name.substr(0, dot);
    if (own != table) text += (text.empty() ? "[" : "\n[") + own + "]\n";
    table = own;
    const std::string allowed = limits(key);
    text += "# " + key.help + (allowed.empty() ? "" : " (" + allowed + ")") + "\n";
    text += "# " + key.name.substr(dot == std::string::npos ? 0 : dot + 1) + " = " +
            to_toml(key.fallback) + "\n";
  }
  return text;
}

std::string markdown_table(const std::vector<Key>& keys) {
  std::string text = "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const Key& key : keys) {
    const std::string allowed = limits(key);
    text += "| `" + key.name + "` | " + std::string(describe(type_of(key.fallback))) + " | `" +
            to_toml(key.fallback) + "` | " + key.help +
            (allowed.empty() ? "" : " (" + allowed + ")") + " |\n";
  }
  return text;
}

}  // namespace viaduct::config
