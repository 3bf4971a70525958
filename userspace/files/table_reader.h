#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/mistakes.h"

namespace viaduct::files {

/// A TOML table read key by key. An absent key is normal and gives "absent"; one of another type
/// also gives "absent" and is a mistake at its line.
class TableReader {
 public:
  /// Borrows both for its life.
  TableReader(const toml::table& table, Mistakes& mistakes) : table_(table), mistakes_(mistakes) {}

  /// Reports every key that is not among `known`, with the nearest one suggested.
  void check_keys(const std::vector<std::string>& known) const;
  std::optional<std::string> text(std::string_view key) const;
  /// A string, or an integer as decimal text.
  std::optional<std::string> text_or_number(std::string_view key) const;
  std::optional<std::int64_t> integer(std::string_view key) const;
  /// A string or a list of strings, in order.
  std::optional<std::vector<std::string>> texts(std::string_view key) const;
  /// The tables of `[[header]]`; elements of another type are mistakes.
  std::vector<const toml::table*> tables(std::string_view key, std::string_view header) const;

  bool has(std::string_view key) const { return table_.contains(key); }
  /// Line of a key's value, else of the table.
  std::size_t line(std::string_view key = "") const;
  /// Reports a mistake at the line of a key.
  void reject(std::string_view key, std::string what) const;

 private:
  void reject_type(std::string_view key, const toml::node& found, std::string_view expected) const;

  const toml::table& table_;
  Mistakes& mistakes_;
};

}  // namespace viaduct::files
