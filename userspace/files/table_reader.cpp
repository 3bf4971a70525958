#include "files/table_reader.h"

#include <algorithm>

#include "base/quote.h"
#include "config/nearest.h"

namespace viaduct::files {
namespace {

std::string_view type_name(toml::node_type type) {
  switch (type) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
  }
  return "something else";
}

std::size_t line_of(const toml::node& node) { return node.source().begin.line; }

}  // namespace

std::size_t TableReader::line(std::string_view key) const {
  const toml::node* found = table_.get(key);
  return line_of(found == nullptr ? table_ : *found);
}

void TableReader::reject(std::string_view key, std::string what) const {
  mistakes_.add(line(key), std::move(what));
}

void TableReader::reject_type(std::string_view key, const toml::node& found,
                              std::string_view expected) const {
  mistakes_.add(line_of(found), std::string(key) + " is " + std::string(type_name(found.type())) +
                                    "; it must be " + std::string(expected));
}

void TableReader::check_keys(const std::vector<std::string>& known) const {
  for (const auto& [key, value] : table_) {
    const std::string_view name = key.str();
    if (std::find(known.begin(), known.end(), name) == known.end())
      mistakes_.add(key.source().begin.line, base::in_quotes(name) + " is not a known key" +
                                                 config::suggestion(name, known));
  }
}

std::optional<std::string> TableReader::text(std::string_view key) const {
  const toml::node* found = table_.get(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = found->as_string()) return text->get();
  reject_type(key, *found, "a string");
  return std::nullopt;
}

std::optional<std::string> TableReader::text_or_number(std::string_view key) const {
  const toml::node* found = table_.get(key);
  if (found != nullptr && found->is_integer()) return std::to_string(*integer(key));
  return text(key);
}

std::optional<std::int64_t> TableReader::integer(std::string_view key) const {
  const toml::node* found = table_.get(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* value = found->as_integer()) return value->get();
  reject_type(key, *found, "an integer");
  return std::nullopt;
}

std::optional<std::vector<std::string>> TableReader::texts(std::string_view key) const {
  const toml::node* found = table_.get(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = found->as_string()) return std::vector{text->get()};
  const auto* list = found->as_array();
  if (list == nullptr) {
    reject_type(key, *found, "a string or a list of strings");
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (const auto& element : *list) {
    if (const auto* text = element.as_string())
      out.push_back(text->get());
    else
      reject_type(key, element, "a string or a list of strings");
  }
  return out;
}

std::vector<const toml::table*> TableReader::tables(std::string_view key,
                                                    std::string_view header) const {
  std::vector<const toml::table*> out;
  const toml::node* found = table_.get(key);
  if (found == nullptr) return out;
  const std::string expected = "tables, each under [[" + std::string(header) + "]]";
  const auto* list = found->as_array();
  if (list == nullptr) {
    reject_type(key, *found, expected);
    return out;
  }
  for (const auto& element : *list) {
    if (const auto* table = element.as_table())
      out.push_back(table);
    else
      reject_type(key, element, expected);
  }
  return out;
}

}  // namespace viaduct::files
