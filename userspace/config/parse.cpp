#include "config/parse.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>

#include "config/nearest.h"

namespace viaduct::config {
namespace {

std::string unknown_name(std::string_view name, const std::vector<std::string>& known) {
  const std::string meant = suggestion(name, known);
  return std::string(name) + " is not a known key" +
         (meant.empty() ? "; --help-config lists them" : meant);
}

std::vector<std::string> key_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Key& key : schema.keys) names.push_back(key.name);
  return names;
}

std::vector<std::string> table_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Key& key : schema.keys) names.push_back(key.name.substr(0, key.name.find('.')));
  return names;
}

std::optional<std::string> judge_text(const Key& key, const std::string& text) {
  if (!key.choices.empty() &&
      std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end()) {
    std::string allowed;
    for (const std::string& choice : key.choices) allowed += (allowed.empty() ? "" : ", ") + choice;
    return key.name + " is " + to_toml(text) + "; it must be one of " + allowed;
  }
  if (key.check)
    if (const auto wrong = key.check(text))
      return key.name + ": " + (key.secret ? "its value" : to_toml(text)) + " " + *wrong;
  return std::nullopt;
}

/// What is wrong with a value of the right type.
std::optional<std::string> judge(const Key& key, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (!key.range || (*number >= key.range->min && *number <= key.range->max)) return std::nullopt;
    const std::string unit = key.unit.empty() ? "" : " " + key.unit;
    return key.name + " is " + std::to_string(*number) + "; it must be between " +
           std::to_string(key.range->min) + " and " + std::to_string(key.range->max) + unit;
  }
  if (const auto* text = std::get_if<std::string>(&value)) return judge_text(key, *text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::string all_wrong;
    for (const std::string& element : *list)
      if (const auto wrong = judge_text(key, element))
        all_wrong += (all_wrong.empty() ? "" : "; ") + *wrong;
    if (!all_wrong.empty()) return all_wrong;
  }
  return std::nullopt;
}

/// Absent: the node has another type than the key.
std::optional<Value> read(const toml::node& node, Type type) {
  switch (type) {
    case Type::string:
      if (const auto* text = node.as_string()) return Value(text->get());
      return std::nullopt;
    case Type::integer:
      if (const auto* number = node.as_integer()) return Value(number->get());
      return std::nullopt;
    case Type::boolean:
      if (const auto* on = node.as_boolean()) return Value(on->get());
      return std::nullopt;
    case Type::string_list: {
      const auto* array = node.as_array();
      if (!array) return std::nullopt;
      std::vector<std::string> list;
      for (const toml::node& element : *array) {
        const auto* text = element.as_string();
        if (!text) return std::nullopt;
        list.push_back(text->get());
      }
      return Value(std::move(list));
    }
  }
  return std::nullopt;
}

std::string_view describe_node(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return node.as_array()->is_homogeneous(toml::node_type::string)
                 ? "a list of strings"
                 : "a list of other things than strings";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    default:
      return "of an unknown type";
  }
}

/// Absent: the text is no value of the type.
std::optional<Value> read_override(const std::string& text, Type type) {
  switch (type) {
    case Type::string:
      return Value(text);
    case Type::boolean:
      if (text == "true" || text == "false") return Value(text == "true");
      return std::nullopt;
    case Type::integer: {
      std::int64_t number = 0;
      const char* end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data(), end, number);
      if (error != std::errc() || stop != end) return std::nullopt;
      return Value(number);
    }
    case Type::string_list: {
      if (text.starts_with('[')) {
        try {
          const toml::table table = toml::parse("list = " + text);
          return table.size() == 1 ? read(*table.get("list"), type) : std::nullopt;
        } catch (const toml::parse_error&) {
          return std::nullopt;
        }
      }
      std::vector<std::string> list;
      for (std::size_t at = 0; !text.empty() && at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        list.push_back(text.substr(at, comma - at));
        at = comma + 1;
      }
      return Value(std::move(list));
    }
  }
  return std::nullopt;
}

class Parser {
 public:
  Parser(const Schema& schema, std::string file)
      : schema_(schema), file_(std::move(file)), values_(schema) {}

  void read_file(std::string_view text) {
    try {
      const toml::table table = toml::parse(text);
      walk(table, "");
    } catch (const toml::parse_error& error) {
      note(error.source().begin.line, "syntax: " + std::string(error.description()));
    }
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Found& a, const Found& b) { return a.line < b.line; });
  }

  void read_overrides(const std::vector<std::string>& overrides) {
    for (const std::string& text : overrides) override_key(text);
  }

  boost::system::result<Values, Mistakes> finish() {
    if (found_.empty()) check_rules();
    if (found_.empty()) return std::move(values_);
    Mistakes mistakes;
    for (Found& found : found_) mistakes.all.push_back(std::move(found.mistake));
    return mistakes;
  }

 private:
  struct Found {
    std::size_t line;
    Mistake mistake;
  };

  std::string place(std::size_t line) const { return file_ + ":" + std::to_string(line); }

  void note(std::size_t line, std::string what) {
    found_.push_back({line, {place(line), std::move(what)}});
  }

  void walk(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string path = prefix + std::string(name.str());
      const std::size_t line = name.source().begin.line;
      if (const Key* key = schema_.find(path)) {
        take(*key, node, line);
      } else if (const toml::table* inner = node.as_table(); inner && is_table_of_schema(path)) {
        walk(*inner, path + ".");
      } else {
        note(line, unknown(path, node));
      }
    }
  }

  std::string unknown(const std::string& path, const toml::node& node) const {
    if (is_table_of_schema(path))
      return path + " is " + std::string(describe_node(node)) + "; it must be a table";
    return unknown_name(path, node.is_table() ? table_names(schema_) : key_names(schema_));
  }

  bool is_table_of_schema(const std::string& path) const {
    return std::any_of(schema_.keys.begin(), schema_.keys.end(),
                       [&](const Key& key) { return key.name.starts_with(path + "."); });
  }

  void take(const Key& key, const toml::node& node, std::size_t line) {
    const Type type = type_of(key.fallback);
    auto value = read(node, type);
    if (!value)
      return note(line, key.name + " is " + std::string(describe_node(node)) + "; it must be " +
                            std::string(describe(type)));
    if (auto wrong = judge(key, *value)) return note(line, std::move(*wrong));
    values_.set(key.name, std::move(*value));
    places_[key.name] = place(line);
  }

  void override_key(const std::string& text) {
    const std::string where = "--set " + text;
    const auto note_override = [&](std::string what) {
      found_.push_back({0, {where, std::move(what)}});
    };
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return note_override("is not of the form key=value");
    const std::string name = text.substr(0, equals);
    const Key* key = schema_.find(name);
    if (!key) return note_override(unknown_name(name, key_names(schema_)));
    const Type type = type_of(key->fallback);
    auto value = read_override(text.substr(equals + 1), type);
    if (!value) return note_override(name + " must be " + std::string(describe(type)));
    if (auto wrong = judge(*key, *value)) return note_override(std::move(*wrong));
    values_.set(name, std::move(*value));
    places_[name] = where;
  }

  void check_rules() {
    for (const Rule& rule : schema_.rules) {
      const auto wrong = rule.check(values_);
      if (!wrong) continue;
      const auto set_at = places_.find(rule.key);
      const std::string where = set_at == places_.end() ? file_ : set_at->second;
      found_.push_back({0, {where, rule.key + " " + *wrong}});
    }
  }

  const Schema& schema_;
  std::string file_;
  Values values_;
  std::vector<Found> found_;
  std::map<std::string, std::string> places_;  // where each key was set
};

}  // namespace

std::string Mistakes::to_string() const {
  std::string text;
  for (const Mistake& mistake : all) text += mistake.where + ": " + mistake.what + "\n";
  return text;
}

void throw_exception_from_error(const Mistakes& mistakes, const boost::source_location&) {
  throw std::invalid_argument(mistakes.to_string());
}

boost::system::result<Values, Mistakes> parse(std::string_view text, const std::string& file,
                                              const Schema& schema,
                                              const std::vector<std::string>& overrides) {
  if (text.size() > kMaxFileBytes)
    return Mistakes{{{file, "is larger than " + std::to_string(kMaxFileBytes) + " bytes"}}};
  Parser parser(schema, file);
  parser.read_file(text);
  parser.read_overrides(overrides);
  return parser.finish();
}

}  // namespace viaduct::config
