#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace viaduct::ctl {

/// Lines of aligned columns for a person: numbers to the right, nothing wraps, no blanks at the end
/// of a line.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// @param cells  one for each column (assert). Control characters become '?', an empty cell "-".
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  /// @param indent  in front of every line.
  /// A column whose cells are all empty is left out.
  std::string text(std::string_view indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Text from elsewhere made harmless for a terminal: control characters become '?'.
std::string printable(std::string_view text);

}  // namespace viaduct::ctl
