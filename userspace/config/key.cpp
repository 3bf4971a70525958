#include "config/key.h"

#include <toml++/toml.h>

#include <sstream>

namespace viaduct::config {
namespace {

std::string quoted(const std::string& text) {
  std::ostringstream out;
  const toml::value<std::string> value(text);
  out << toml::toml_formatter(value, toml::toml_formatter::default_flags &
                                         ~toml::format_flags::allow_literal_strings &
                                         ~toml::format_flags::allow_multi_line_strings);
  return out.str();
}

struct ToToml {
  std::string operator()(const std::string& text) const { return quoted(text); }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(bool on) const { return on ? "true" : "false"; }
  std::string operator()(const std::vector<std::string>& list) const {
    std::string out = "[";
    for (const std::string& element : list) out += (out.size() > 1 ? ", " : "") + quoted(element);
    return out + "]";
  }
};

}  // namespace

std::string_view describe(Type type) {
  switch (type) {
    case Type::string:
      return "a string";
    case Type::integer:
      return "an integer";
    case Type::boolean:
      return "true or false";
    case Type::string_list:
      return "a list of strings";
  }
  return "";
}

std::string to_toml(const Value& value) { return std::visit(ToToml{}, value); }

Schema& Schema::add(const std::vector<Key>& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return *this;
}

const Key* Schema::find(std::string_view name) const {
  for (const Key& key : keys)
    if (key.name == name) return &key;
  return nullptr;
}

}  // namespace viaduct::config
